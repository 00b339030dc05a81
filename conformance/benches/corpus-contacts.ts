import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openCountedLink } from "../src/counted-link.ts";
import { startPhone } from "../src/phone-process.ts";
import type { RawWriter } from "../src/raw-writer.ts";
import { startRelay, type RelayProcess } from "../src/relay-process.ts";
import type { StoreMaster } from "../src/store-masters.ts";
import { measureContact, type Contact } from "./contact.ts";
import { enrol, invitation, makeStores, storeAll } from "../src/relay-corpus.ts";
import { seedStock, startStockClient, startStockServer } from "./stock/stock-processes.ts";

/** Nothing on the wire for so long: our contact is over. The stock client is given longer, because it retries after 5 s. */
const QUIET_MS = 1_000;
const STOCK_QUIET_MS = 7_000;

/** A relay with a corpus and one real phone that holds all of it. */
export interface OurContacts {
  readonly masters: readonly StoreMaster[];
  readonly cold: Contact;
  writer(): RawWriter;
  /** The phone was offline and comes back. */
  reconnect(): Promise<Contact>;
  /** The phone goes offline. */
  leave(): Promise<void>;
  restartRelay(): Promise<void>;
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

export async function openOurContacts(count: number): Promise<OurContacts> {
  const folder = await mkdtemp(path.join(tmpdir(), "sampai-bench-contacts-"));
  const dir = path.join(folder, "relay");
  let relay: RelayProcess = await startRelay(dir);
  const target = { port: relay.port };
  const writer = await enrol(dir, relay.url, "H001", "hq");
  await writer.connect();
  const masters = makeStores(writer, 1, count, 20);
  await storeAll(writer, masters);
  const link = await openCountedLink(target);
  const code = await invitation(dir, relay.url, "R001", "rep");
  const phone = await startPhone({ dir: path.join(folder, "phone"), url: `http://127.0.0.1:${link.port}`, code });
  const holdsAll = async () => ((await phone.ask("list", { kind: "store" })) as unknown[]).length >= count;
  const online = () => phone.ask("go-online");
  const cold = await measureContact(link, relay.process.pid, QUIET_MS, online, holdsAll);
  return {
    masters,
    cold,
    writer: () => writer,
    leave: async () => {
      await phone.ask("go-offline");
    },
    reconnect: () => measureContact(link, relay.process.pid, QUIET_MS, online),
    restartRelay: async () => {
      await relay.process.stop();
      relay = await startRelay(dir, relay.port);
      target.port = relay.port;
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
  const folder = await mkdtemp(path.join(tmpdir(), "sampai-bench-stock-"));
  const dir = path.join(folder, "server");
  const docs = masters.map(({ doc }) => doc);
  const seeder = await startStockServer(dir);
  await seedStock(seeder, folder, masters);
  await seeder.process.stop();
  let server = await startStockServer(dir);
  const target = { port: server.port };
  const link = await openCountedLink(target);
  const url = `ws://127.0.0.1:${link.port}`;
  const reconnect = async () => {
    const client = await startStockClient();
    const open = () => client.ask("open", { url, dir: path.join(folder, "client"), docs });
    const contact = await measureContact(link, server.process.pid, STOCK_QUIET_MS, open);
    await client.ask("flush").catch(() => undefined);
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
