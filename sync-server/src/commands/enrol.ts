import { roleSchema } from "@sampai/engine/wire";
import QRCode from "qrcode";
import { createSystemClock } from "@sampai/engine/adapters/clock";
import { readConfig } from "../config.ts";
import { openDataFolder } from "../data-folder.ts";
import { invite } from "../devices/enrolment.ts";
import type { InviteRequest } from "../devices/index.ts";
import { readRunning } from "../running.ts";
import { BadUsage, optional, required, type Command, type CommandInput } from "./command.ts";
import { openFolderForWork } from "./open-for-work.ts";
import { askRelay, Refused } from "./operator.ts";
import { print } from "./print.ts";
import { diskGaveOut } from "./serve.ts";

export const enrol: Command = {
  name: "enrol",
  positionals: "",
  does: "Makes a one-time link that enrols one device of a person.",
  options: {
    dir: { type: "string" },
    person: { type: "string" },
    "ttl-minutes": { type: "string" },
    name: { type: "string" },
    role: { type: "string" },
    territories: { type: "string" },
    qr: { type: "boolean" },
  },
  explains: {
    dir: "the relay's data folder; with --name it is made where it is not there",
    person: "the person's code, such as R012",
    "ttl-minutes": "how long the link can be used; a day by default",
    name: "adds the person with this name where nobody has the code yet; with --role",
    role: "rep, supervisor or hq",
    territories: "territory codes, separated by commas; * (the default) is all",
    qr: "also draws the link as a QR code, to be read by the phone's camera",
  },
  run: async (input) => {
    const dir = required(input, "dir");
    const person = required(input, "person");
    const ttlMinutes = minutes(optional(input, "ttl-minutes"));
    const add = newPerson(input);
    const running = readRunning(dir);
    if (running !== null) {
      const request: InviteRequest = { person, ttlMinutes, ...(add === undefined ? {} : { add }) };
      await tell(input, await askRelay(running, "/v1/operator/enrolments", request));
      return 0;
    }
    const config = readConfig({ dir }, process.env);
    // The first person makes the workspace; whoever is said to be there already is in one.
    const folder = add === undefined ? await openFolderForWork(dir) : await openDataFolder(config, diskGaveOut, false);
    try {
      if (add !== undefined) await folder.writer.run("addPerson", { person: { code: person, ...add } });
      const invitation = await invite({ ...folder, clock: createSystemClock() }, person, ttlMinutes);
      if (!invitation.ok) throw new Refused(invitation.error);
      const { code, expires } = invitation.value;
      const url = config.publicUrl?.replace(/\/$/, "") ?? `http://127.0.0.1:${config.port === 0 ? 8080 : config.port}`;
      await tell(input, { person, code, link: `${url}/enrol#${code}`, expires });
      return 0;
    } finally {
      await folder.close();
    }
  },
};

/** The JSON stands on the last line, for scripts; the picture above it is for the camera. */
async function tell(input: CommandInput, invitation: unknown): Promise<void> {
  const { link } = invitation as { link: string };
  if (input.values["qr"] === true) print(await QRCode.toString(link, { type: "utf8", errorCorrectionLevel: "L" }));
  print(JSON.stringify(invitation));
}

function minutes(text: string | undefined): number {
  const value = Number(text ?? 24 * 60);
  if (!(value >= 1 && value <= 43_200)) throw new BadUsage("--ttl-minutes is a number from 1 to 43200.");
  return value;
}

function newPerson(input: CommandInput): InviteRequest["add"] {
  const name = optional(input, "name");
  if (name === undefined) return undefined;
  const role = roleSchema.safeParse(optional(input, "role"));
  if (!role.success) throw new BadUsage("--role is rep, supervisor or hq.");
  const territories = (optional(input, "territories") ?? "*").split(",").map((code) => code.trim());
  return { name, role: role.data, territories };
}
