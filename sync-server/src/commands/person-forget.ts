import { forgetPerson, type PersonForgotten } from "../privacy/expiry.ts";
import { readRunning } from "../running.ts";
import { BadUsage, required, type Command } from "./command.ts";
import { tellExpiry, withOffice } from "./expiry-office.ts";
import { askRelay, Refused } from "./operator.ts";

export const personForget: Command = {
  name: "person forget",
  positionals: "CODE",
  does: "Revokes a person's devices and removes what is held about the person. The order log stays provable.",
  options: { dir: { type: "string" }, reason: { type: "string" } },
  explains: { dir: "the relay's data folder", reason: "why, for the log" },
  more: [
    "Of orders the books keep goods, prices, store and day, without person, place and free text. The person's code stays",
    "in the trail and as the author of changes to store masters; it no longer stands for a name: a new reference pack comes",
    "without the person, older ones are written anew, and an import leaves the code out and says so. It cannot be taken",
    "back, and reaches no backup: those must expire by themselves. Phones keep the packs that they hold, with the name,",
    "until a dozen newer ones have come. While a relay works, freed pages of its database files keep the bytes until they",
    "are used again, or until `sampai log sweep`.",
  ].join("\n"),
  run: async (input) => {
    const [person] = input.positionals;
    if (person === undefined) throw new BadUsage("A person's code such as R012 is needed.");
    const dir = required(input, "dir");
    const reason = required(input, "reason");
    const running = readRunning(dir);
    const done =
      running === null
        ? await forgetHere(dir, person, reason)
        : ((await askRelay(running, "/v1/operator/forget", { person, reason })) as PersonForgotten);
    tellExpiry(dir, done, running !== null, { person });
    return 0;
  },
};

function forgetHere(dir: string, person: string, reason: string): Promise<PersonForgotten> {
  return withOffice(dir, async (office) => {
    const by = "operator";
    const devices = office.db.prepare("select device from device where person = ? and revoked is null").all(person);
    for (const { device } of devices as { device: string }[]) await office.writer.run("revoke", { device, by, reason });
    const done = await forgetPerson(office, { person, reason, by });
    if (!done.ok) throw new Refused(done.error);
    return done.value;
  });
}
