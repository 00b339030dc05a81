import { dayIn, dayWords } from "@sampai/engine";
import type { CertificateReason } from "@sampai/engine/wire";
import { z } from "zod";
import { sqlOf } from "../database/sql.ts";
import { viewDay, type DayView } from "../day/day-view.ts";
import { BadUsage, optional, required, type Command } from "./command.ts";
import { openFolderForReading, workspaceIn } from "./open-for-reading.ts";
import { print } from "./print.ts";

const REASONS: Readonly<Record<CertificateReason, string>> = {
  closed: "the day was closed",
  "closed-again": "the day was closed again",
  arrived: "what was missing came",
  "given-up": "a device that owed events was revoked, or declared them lost",
  reinstated: "a device's revocation was taken back",
  late: "something of the day came late",
  photos: "the last photo came",
};

export const day: Command = {
  name: "day",
  positionals: "",
  does: "Says how complete a person's day is, over all their devices, and what was certified of it.",
  options: {
    dir: { type: "string" },
    rep: { type: "string" },
    day: { type: "string" },
    json: { type: "boolean" },
  },
  explains: {
    dir: "the relay's data folder",
    rep: "the person's code, such as R012",
    day: "YYYY-MM-DD in the workspace's zone; today by default",
    json: "one line of JSON, with the certificate as it was signed",
  },
  more: "Ends with status 1 while the day is not closed or not complete, whether it is certified or not.",
  run: (input) => {
    const rep = required(input, "rep");
    const { db, dir } = openFolderForReading(input);
    try {
      const { zone } = workspaceIn(dir);
      const asked = z.iso.date().safeParse(optional(input, "day") ?? dayIn(Date.now(), zone));
      if (!asked.success) throw new BadUsage("--day is a date such as 2026-11-25.");
      if (db.prepare("select 1 from person where code = ?").get(rep) === undefined)
        throw new BadUsage(`Nobody here is ${rep}.`);
      const view = viewDay(sqlOf(db), { rep, day: asked.data, zone });
      if (input.values["json"] === true) print(JSON.stringify(view));
      else for (const line of linesOf(view)) print(line);
      return Promise.resolve(view.state !== "open" && view.now.standing === "complete" ? 0 : 1);
    } finally {
      db.close();
    }
  },
};

function linesOf(view: DayView): string[] {
  const time = new Intl.DateTimeFormat("en-GB", { timeZone: view.zone, hour: "2-digit", minute: "2-digit" });
  const { closes = [] } = view.certificate?.says ?? {};
  const counted = closes.reduce((sum, close) => sum + close.counted.events, 0);
  const { here } = view.now.events;
  const thisYear = yearOf(dayIn(Date.now(), view.zone));
  /** With the year where it is not this one. */
  const words = (of: string) => (yearOf(of) === thisYear ? dayWords(of) : `${dayWords(of)} ${yearOf(of)}`);
  const differs = view.certificate !== null && view.state === "closed" && counted !== here && closes.length > 0;
  return [
    // The sentence is the phone's and the certificate's too, which ask no clock.
    view.sentence.replace(dayWords(view.day), words(view.day)),
    ...(view.expired && view.certificate !== null
      ? ["What was kept of the day was removed since; this is what was certified."]
      : []),
    ...(differs ? [`The phone itself counted ${counted} events.`] : []),
    ...view.issued.map(
      ({ number, at, reason, standing, position }) =>
        `Certificate ${number} of ${words(dayIn(Date.parse(at), view.zone))}, ${time.format(Date.parse(at))}: ${standing.replaceAll("-", " ")}, because ${REASONS[reason]}. Order log #${position}, signed.`,
    ),
    ...(view.awaits === null ? [] : [awaitedWords(view.awaits, view.issued.length > 0)]),
  ];
}

function awaitedWords(reason: CertificateReason, isCertified: boolean): string {
  return isCertified ? `Not certified again yet, though ${REASONS[reason]}.` : "Not certified yet.";
}
const yearOf = (of: string) => of.slice(0, 4);
