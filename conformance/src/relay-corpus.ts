import { readFileSync } from "node:fs";
import path from "node:path";
import { RawWriter } from "./raw-writer.ts";
import { pushChanges, StoreMaster } from "./store-masters.ts";

export const TERRITORY = "T1";
/** Documents on their way at once while a relay is filled. */
const IN_FLIGHT = 16;

/** Enrols a new device of a new person by the operator's own call, as `sampai enrol` does. */
export async function enrol(
  dir: string,
  url: string,
  person: string,
  role: "rep" | "supervisor" | "hq",
  territories: readonly string[] = [TERRITORY],
): Promise<RawWriter> {
  return RawWriter.enrol(url, await invitation(dir, url, person, role, territories));
}

/** A one-time enrolment code. */
export async function invitation(
  dir: string,
  url: string,
  person: string,
  role: "rep" | "supervisor" | "hq",
  territories: readonly string[] = [TERRITORY],
): Promise<string> {
  const running = JSON.parse(readFileSync(path.join(dir, "relay.json"), "utf8")) as { operatorKey: string };
  const answer = await fetch(`${url}/v1/operator/enrolments`, {
    method: "POST",
    headers: { authorization: `Bearer ${running.operatorKey}`, "content-type": "application/json" },
    body: JSON.stringify({ person, add: { name: person, role, territories } }),
  });
  if (!answer.ok) throw new Error(`enrolment: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { code: string }).code;
}

/** Store masters of headquarters, numbered from `from`. */
export function makeStores(writer: RawWriter, from: number, count: number, edits: number): StoreMaster[] {
  return Array.from({ length: count }, (_, index) =>
    StoreMaster.make(from + index, edits, { ...authorOf(writer), role: "hq" }, TERRITORY),
  );
}

export const authorOf = ({ device, workspace, rep }: RawWriter) => ({ device, workspace, rep });

/** Pushes whole documents and waits until all are stored. */
export async function storeAll(writer: RawWriter, masters: readonly StoreMaster[]): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let master = masters[next]; master !== undefined; master = masters[next]) {
      next += 1;
      await pushAll(writer, master, master.changes);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

/** Pushes changes and throws where one was not stored. */
export async function pushAll(
  writer: RawWriter,
  master: Pick<StoreMaster, "doc" | "key">,
  changes: readonly Uint8Array[],
): Promise<readonly number[]> {
  const answer = await pushChanges(writer, master, changes);
  if (answer?.["type"] !== "pushed" || (answer["refused"] as unknown[]).length > 0) {
    throw new Error(`a push was answered ${JSON.stringify(answer)}`);
  }
  return answer["stored"] as number[];
}
