import type { CrashPoint, Batches } from "./order-log.contract.ts";
import { createCommitter, type WriteReply } from "../../src/database/committer.ts";
import { openForWriting } from "../../src/database/connection.ts";

// The relay's own commits in a process of its own, which kills itself at one point of the second one.

interface Order {
  readonly dir: string;
  readonly at: CrashPoint;
  readonly answered: Batches;
  readonly atRisk: Batches;
}

process.once("message", ({ dir, at, answered, atRisk }: Order) => {
  const die = () => process.kill(process.pid, "SIGKILL");
  let dying: CrashPoint | null = null;
  const commit = createCommitter(
    openForWriting(dir),
    () => {
      if (dying === "before") die();
      return new Date().toISOString();
    },
    tellAnswers,
    () => {
      if (dying === "committed") die();
    },
  );
  const requests = (batches: Batches) =>
    batches.map((batch, id) => ({ id, name: "append" as const, input: { ...batch, via: "http" }, bytes: 0 }));
  commit(requests(answered));

  function tellAnswers(reply: WriteReply): void {
    if (!("answers" in reply)) throw new Error(JSON.stringify(reply));
    process.send?.(
      reply.answers.map(({ answer }) => answer),
      () => {
        dying = at;
        // Read behind the rows of all others, and before the commit.
        const last = {
          get device() {
            return die();
          },
        };
        commit([
          ...requests(atRisk),
          ...(at === "inside" ? [{ id: 9, name: "append" as const, input: last, bytes: 0 }] : []),
        ]);
      },
    );
  }
});
