// The same six visits through stock automerge-repo: server, phone and link in one process. It says one JSON line.
import type { AutomergeUrl, DocHandle } from "@automerge/automerge-repo";
import { Repo } from "@automerge/automerge-repo";
import { WebSocketClientAdapter, WebSocketServerAdapter } from "@automerge/automerge-repo-network-websocket";
import { NodeFSStorageAdapter } from "@automerge/automerge-repo-storage-nodefs";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { WebSocketServer } from "ws";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { openShapedLink } from "../src/shaped-link.ts";

const VISITS = 6;
const PHOTO_BYTES = 300_000;
const BITS_PER_SECOND = 400_000;
const DELAY_MS = 100;
const LOOK_MS = 50;

const [design, cap] = process.argv.slice(2);
const capMs = Number(cap);
let unhandled = 0;
// The stock server rejects where nobody listens when a client does not answer its keep-alive; by default that is fatal.
process.on("unhandledRejection", () => (unhandled += 1));
process.on("uncaughtException", () => (unhandled += 1));

const folder = await temporaryFolder("stock-drain");
const line = (index: number) => ({ sku: `SKU${100_000 + index}`, quantity: 1 + (index % 6), unitPriceSen: 869 });
const order = (index: number) => ({
  id: randomBytes(16).toString("hex"),
  store: `S-${1_000 + index}`,
  at: "2026-11-23T09:12:33.123Z",
  lines: Array.from({ length: 9 }, (_, number) => line(index * 9 + number)),
  totalSen: 46_926,
});
const visit = (index: number) => ({
  id: randomBytes(16).toString("hex"),
  store: `S-${1_000 + index}`,
  checkedIn: "2026-11-23T09:00:00Z",
  checkedOut: "2026-11-23T09:20:00Z",
  notes: "Shelf two was empty; agreed on a second facing and a cooler next week.",
  answers: Array.from({ length: 15 }, (_, number) => ({ question: `q${number}`, answer: number % 3 === 0 })),
});
const photo = () => new Uint8Array(randomBytes(PHOTO_BYTES));

// Offline: everything is saved on the phone.
const offline = new Repo({ storage: new NodeFSStorageAdapter(path.join(folder, "phone")) });
const urls: Record<"visits" | "photos" | "orders", AutomergeUrl[]> = { visits: [], photos: [], orders: [] };
for (let index = 0; index < VISITS; index += 1) {
  const body = design === "inside" ? { ...visit(index), photo: photo() } : visit(index);
  urls.visits.push(offline.create<Record<string, unknown>>(body).url);
  if (design === "own") urls.photos.push(offline.create<Record<string, unknown>>({ photo: photo() }).url);
  urls.orders.push(offline.create<Record<string, unknown>>(order(index)).url);
}
await offline.flush();

const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
await new Promise((resolve) => sockets.once("listening", resolve));
const server = new Repo({
  network: [new WebSocketServerAdapter(sockets as never)],
  storage: new NodeFSStorageAdapter(path.join(folder, "server")),
  sharePolicy: () => Promise.resolve(false),
});
const link = await openShapedLink((sockets.address() as AddressInfo).port, {
  bitsPerSecond: BITS_PER_SECOND,
  delayMs: DELAY_MS,
});

const started = performance.now();
const online = new Repo({
  storage: new NodeFSStorageAdapter(path.join(folder, "phone")),
  network: [new WebSocketClientAdapter(`ws://127.0.0.1:${link.port}`)],
});
const all = [...urls.visits, ...urls.photos, ...urls.orders];
const handles = new Map<AutomergeUrl, DocHandle<unknown>>();
await Promise.all(all.map(async (url) => handles.set(url, await online.find(url))));
const arrivedMs = new Map<AutomergeUrl, number>();
while (arrivedMs.size < all.length && performance.now() - started < capMs) {
  for (const url of all) {
    const mine = handles.get(url);
    const there = server.handles[mine?.documentId ?? ("" as never)];
    if (arrivedMs.has(url) || mine === undefined || there?.isReady() !== true) continue;
    if (JSON.stringify(there.heads()) === JSON.stringify(mine.heads())) arrivedMs.set(url, performance.now() - started);
  }
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
/** When the last of them was there; null where that was not seen. */
const last = (list: readonly AutomergeUrl[]) =>
  list.every((url) => arrivedMs.has(url)) ? Math.round(Math.max(...list.map((url) => arrivedMs.get(url) ?? 0))) : null;
const { upBytes, connections } = link.counters();
console.log(
  JSON.stringify({
    design,
    ordersSafeMs: last(urls.orders),
    allDoneMs: last(all),
    arrived: arrivedMs.size,
    documents: all.length,
    sentBytes: upBytes,
    connections,
    unhandled,
    capMs,
  }),
);
await rm(folder, { recursive: true, force: true });
process.exit(0);
