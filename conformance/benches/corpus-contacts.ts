import { rm } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { openCountedLink } from "../src/counted-link.ts";
import { startPhone } from "../src/phone-process.ts";
import { untilIdle } from "../src/process-figures.ts";
import type { RawWriter } from "../src/raw-writer.ts";
import { enrol, invitation, makeStores, storeAll } from "../src/relay-corpus.ts";
import { startRelay, type RelayProcess } from "../src/relay-process.ts";
import type { StoreMaster } from "../src/store-masters.ts";
import { until } from "../src/until.ts";
import { measureContact, type Contact } from "./contact.ts";
import { seedStock, startStockClient, startStockServer } from "./stock/stock-processes.ts";

/** Nothing on the wire for so long: our contact is over. The stock client is given longer, because it retries after 5 s. */
const QUIET_MS = 1_000;
const STOCK_QUIET_MS = 7_000;

/** A relay with a corpus and one real phone that holds all of it. */
export interface OurContacts {
  readonly masters: readonly StoreMaster[];
  readonly cold: Contact;
  /** Where the phone keeps everything. */
  readonly phoneDir: string;
  writer(): RawWriter;
  /** The phone was offline and comes back. */
  reconnect(): Promise<Contact>;
  /** The phone goes offline. */
  leave(): Promise<void>;
  restartRelay(): Promise<void>;
  /** Throws where the phone lacks a store, or holds another state of it than the writer made. */
  compare(): Promise<void>;
  /** Stops the phone when it has read everything that came. Its folder stays. */
  stopPhone(): Promise<void>;
  close(): Promise<void>;
}

/** The stock server with the same documents, and its client with a folder of its own. */
export interface StockContacts {
  readonly cold: Contact;
  /** The client, started again on its folder, opens every document. */
  reconnect(): Promise<Contact>;
  restartServer(): Promise<void>;
  /** Another client edits these documents and leaves. */
  edit(docs: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

interface Summary {
  readonly key: string;
  readonly summary: Readonly<Record<string, unknown>>;
}

export async function openOurContacts(count: number): Promise<OurContacts> {
  const folder = await temporaryFolder("bench-contacts");
  const dir = path.join(folder, "relay");
  const phoneDir = path.join(folder, "phone");
  let relay: RelayProcess = await startRelay(dir);
  const target = { port: relay.port };
  const writer = await enrol(dir, relay.url, "H001", "hq");
  await writer.connect();
  const masters = makeStores(writer, 1, count, 20);
  await storeAll(writer, masters);
  const link = await openCountedLink(target);
  const code = await invitation(dir, relay.url, "R001", "rep");
  const phone = await startPhone({ dir: phoneDir, url: `http://127.0.0.1:${link.port}`, code });
  const listed = async () => (await phone.ask("list", { kind: "store" })) as Summary[];
  const holdsAll = async () => (await listed()).length >= count;
  const online = () => phone.ask("go-online");
  const contact = (done?: () => Promise<boolean>) =>
    measureContact(link, relay.process.pid, QUIET_MS, online, done ?? (() => Promise.resolve(true)));
  return {
    masters,
    phoneDir,
    cold: await contact(holdsAll),
    writer: () => writer,
    leave: async () => {
      await phone.ask("go-offline");
    },
    reconnect: () => contact(),
    restartRelay: async () => {
      await relay.process.stop();
      relay = await startRelay(dir, relay.port);
      target.port = relay.port;
    },
    compare: async () => {
      for (const { key, head } of masters) {
        const { heads } = (await phone.ask("view", { kind: "store", key })) as { heads: readonly string[] };
        if (heads.join() !== head) throw new Error(`the phone holds ${key} at ${heads.join()} instead of ${head}`);
      }
    },
    stopPhone: async () => {
      const isRead = async () => (await listed()).every(({ summary }) => summary["name"] !== undefined);
      await until("the summaries of all stores", isRead);
      await untilIdle(phone.process.pid);
      await phone.quit();
    },
    close: async () => {
      await phone.quit();
      writer.close();
      await link.close();
      await relay.process.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function openStockContacts(masters: readonly StoreMaster[]): Promise<StockContacts> {
  const folder = await temporaryFolder("bench-stock");
  const dir = path.join(folder, "server");
  const docs = masters.map(({ doc }) => doc);
  await seedStock(dir, folder, masters);
  let server = await startStockServer(dir);
  const target = { port: server.port };
  const link = await openCountedLink(target);
  const url = `ws://127.0.0.1:${link.port}`;
  const reconnect = async () => {
    const client = await startStockClient();
    const open = async () => {
      const { unavailable } = await client.ask("open", { url, dir: path.join(folder, "client"), docs });
      if (unavailable !== 0) throw new Error(`${String(unavailable)} documents did not come`);
    };
    const contact = await measureContact(link, server.process.pid, STOCK_QUIET_MS, open);
    if (contact.finished) await client.ask("flush").catch(() => undefined);
    await client.process.kill();
    return contact;
  };
  const cold = await reconnect();
  return {
    cold,
    reconnect,
    restartServer: async () => {
      await server.process.kill();
      server = await startStockServer(dir);
      target.port = server.port;
    },
    edit: async (edited) => {
      const client = await startStockClient();
      await measureContact(link, server.process.pid, 1_000, async () => {
        await client.ask("open", { url, dir: null, docs: edited });
        await client.ask("write", { edits: edited.length, perSecond: 100 });
      });
      await client.process.kill();
    },
    close: async () => {
      await server.process.kill();
      await link.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
