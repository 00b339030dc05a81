import type { DatabaseSync } from "node:sqlite";
import { boards } from "../boards/index.ts";
import { createAnomalies } from "./anomalies.ts";
import { arrivals } from "./arrivals.ts";
import { attendance } from "./attendance.ts";
import { contacts } from "./contacts.ts";
import type { Follower } from "./follower.ts";
import { createJudge } from "./judge.ts";
import { createMasterRecords } from "./master-records.ts";
import type { PackShelf } from "./pack-shelf.ts";

/** Every follower there is. A new one is a file and a line here. */
export function createFollowers(relay: DatabaseSync, packs: PackShelf): readonly Follower[] {
  return [
    createMasterRecords(relay, packs.newest),
    contacts,
    arrivals,
    attendance,
    createJudge(),
    createAnomalies(),
    ...boards,
  ];
}
