import { dayIn } from "@sampai/engine/core";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { commands } from "../commands/index.ts";
import { runCommandLine } from "../commands/command-line.ts";
import { invite } from "../devices/enrolment.ts";
import type { Relay } from "../main.ts";

/**
 * Imports the demo's files, on the first start and once in each new week, because its plans are for the week of the
 * import. Importing again writes only what differs. Answers false where it could not be done.
 */
export async function importDemo(relay: Relay, files: string): Promise<boolean> {
  const { config, workspace, clock } = relay.context;
  const marker = path.join(config.dir, "demo-week.txt");
  const week = mondayOf(dayIn(clock.wallMs(), workspace.zone));
  if (existsSync(marker) && readFileSync(marker, "utf8") === week) return true;
  if (!commands.some(({ name }) => name === "import")) return false;
  const status = await runCommandLine(["import", files, "--dir", config.dir]);
  if (status === 0) writeFileSync(marker, week);
  return status === 0;
}

function mondayOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}

export interface DemoLink {
  readonly role: string;
  readonly name: string;
  readonly person: string;
  readonly link: string;
}

interface PersonRow {
  readonly code: string;
  readonly name: string;
  readonly role: string;
  readonly territories: string;
}

/** Fresh enrolment links: a rep, the supervisor of that rep's territory, and somebody at headquarters. */
export async function demoLinks(relay: Relay): Promise<readonly DemoLink[]> {
  const people = relay.context.db
    .prepare("select code, name, role, territories from person order by code")
    .all() as unknown as PersonRow[];
  const rep = people.find(({ role }) => role === "rep");
  const territory = rep === undefined ? undefined : territoriesOf(rep)[0];
  const supervisors = people.filter(({ role }) => role === "supervisor");
  const supervisor = supervisors.find((person) => territoriesOf(person).some((code) => code === territory));
  const chosen = [rep, supervisor ?? supervisors[0], people.find(({ role }) => role === "hq")];
  const links: DemoLink[] = [];
  for (const person of chosen) {
    if (person === undefined) continue;
    const invitation = await invite(relay.context, person.code, 24 * 60);
    if (!invitation.ok) continue;
    const { role, name, code } = person;
    links.push({ role, name, person: code, link: `${relay.url}/enrol#${invitation.value.code}` });
  }
  return links;
}

const territoriesOf = ({ territories }: PersonRow) => JSON.parse(territories) as string[];
