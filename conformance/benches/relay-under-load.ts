import { rm } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { invitation } from "../src/relay-corpus.ts";
import { startRelay, type RelayProcess } from "../src/relay-process.ts";
import { startAsked, type AskedProcess } from "./asked-process.ts";

/** A relay on a folder of its own, and the processes that load it. */
export interface RelayUnderLoad {
  readonly folder: string;
  readonly relay: () => RelayProcess;
  /** A process of devices: the first is of headquarters where `maker` says so, then one supervisor for each territory. */
  devices(options: { readonly maker: boolean; readonly supervisors: readonly string[] }): Promise<AskedProcess>;
  /** A code for a rep. */
  invite(territory: string): Promise<string>;
  /** Stops the relay and starts it again on its folder and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openRelayUnderLoad(): Promise<RelayUnderLoad> {
  const folder = await temporaryFolder("bench-load");
  const dir = path.join(folder, "relay");
  let relay = await startRelay(dir);
  const processes: AskedProcess[] = [];
  let people = 0;
  const codeFor = (role: "rep" | "supervisor" | "hq", territory: string) => {
    people += 1;
    return invitation(dir, relay.url, `P${String(people).padStart(3, "0")}`, role, [territory]);
  };
  return {
    folder,
    relay: () => relay,
    devices: async ({ maker, supervisors }) => {
      const codes: string[] = [];
      if (maker) codes.push(await codeFor("hq", "*"));
      for (const territory of supervisors) codes.push(await codeFor("supervisor", territory));
      const started = await startAsked("load-process.ts");
      processes.push(started);
      await started.ask("enrol", { url: relay.url, codes });
      return started;
    },
    invite: (territory) => codeFor("rep", territory),
    restart: async () => {
      await relay.process.stop();
      relay = await startRelay(dir, relay.port);
    },
    close: async () => {
      for (const { process } of processes) await process.kill();
      await relay.process.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
