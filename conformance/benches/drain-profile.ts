import { rm } from "node:fs/promises";
import path from "node:path";
import { startPhone, type PhoneProcess } from "../src/phone-process.ts";
import { enrolmentCode, type RelayProcess } from "../src/relay-process.ts";
import { seededRandom } from "../src/seeded-random.ts";
import { openShapedLink, type ShapedLink } from "../src/shaped-link.ts";
import { createUploadTap, type UploadCounts } from "../src/upload-tap.ts";
import { makeVisit, orderBody, startDay, stopsOf, type PackOnPhone, type Stop } from "../stories/rep-day.ts";
import { quantile, round } from "./measure.ts";

/** One link, and what is asked of it. */
export interface Profile {
  readonly name: string;
  readonly bitsPerSecond: number;
  readonly visits: number;
  /** Up and down in turn, in milliseconds, or cut at random; null for a link that never breaks. */
  readonly flap: { readonly upMs: number; readonly downMs: number } | null;
  readonly cuts: { readonly everyMs: number; readonly downMs: number } | null;
  /** Mean distance of the orders that are captured while photos move. */
  readonly orderEveryMs: number;
  /** The drain is measured alone first, and the orders while more photos move. */
  readonly ordersApart: boolean;
}

export interface ProfileFigures {
  readonly profile: string;
  readonly ordersSafeMs: number;
  readonly factsAndDocumentsMs: number;
  readonly allDoneMs: number;
  /** Captured bytes, unframed, over the rate, and one round trip; with the link's own pauses where it has them. */
  readonly floorMs: number;
  readonly overFloor: number;
  readonly orders: {
    readonly captured: number;
    /** From capture to an acknowledgement that is durable on the phone. */
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly maxMs: number;
    /** The same without the time in which there was no signal. */
    readonly p95UpMs: number;
  };
  readonly photos: number;
  readonly photosAtHq: number;
  readonly cuts: number;
  readonly connections: number;
  readonly sentBytes: number;
  readonly capturedBytes: number;
  readonly uploadRequests: number;
  readonly uploadHeadBytes: number;
  /** Sent again although the phone had been told that they are safe. */
  readonly resentBytes: number;
  readonly resentShare: number;
  /** Sent without an answer, because the link broke under them. */
  readonly lostInFlightBytes: number;
}

export const ROUND_TRIP_MS = 200;
const ORDERS = 30;
const LONGEST_MS = 900_000;

interface Owed {
  readonly photos: number;
  readonly events: number;
}

/** A real phone makes its visits without a signal; then the link comes, and everything is timed until HQ has it. */
export async function measureProfile(
  relay: RelayProcess,
  options: { data: string; rep: string; folder: string; pictures: readonly string[]; seed: number },
  profile: Profile,
): Promise<ProfileFigures> {
  const { data, rep, folder, pictures } = options;
  const random = seededRandom(options.seed);
  const tap = createUploadTap();
  const shape = {
    bitsPerSecond: profile.bitsPerSecond,
    delayMs: ROUND_TRIP_MS / 2,
    delivered: (...seen: Parameters<typeof tap.delivered>) => tap.delivered(...seen),
  };
  const link = await openShapedLink(relay.port, shape);
  const dir = path.join(folder, `phone-${rep}`);
  const code = await enrolmentCode(data, rep);
  // The morning's packs and stores come over a good link: this is about the way back.
  const morning = await startPhone({ dir, url: relay.url, code });
  const pack = await startDay(morning);
  const stops = await stopsOf(morning, profile.visits);
  await morning.quit();
  const phone = await startPhone({ dir, url: `http://127.0.0.1:${link.port}`, code });
  const stopTelling = link.onRestored(() => {
    phone.ask("network-changed").catch(() => undefined);
  });
  try {
    return await measure({ phone, link, pack, stops, random, pictures, counts: () => tap.counts() }, profile);
  } finally {
    stopTelling();
    await phone.quit();
    await link.close();
    await rm(dir, { recursive: true, force: true });
  }
}

interface Field {
  readonly phone: PhoneProcess;
  readonly link: ShapedLink;
  readonly pack: PackOnPhone;
  readonly stops: readonly Stop[];
  readonly random: () => number;
  readonly pictures: readonly string[];
  readonly counts: () => UploadCounts;
}

async function measure(field: Field, profile: Profile): Promise<ProfileFigures> {
  const { phone, link, pack, stops, random, pictures } = field;
  link.cut();
  await phone.ask("go-online");
  const acknowledged = watchAcknowledgements(phone);
  const mine = new Set<string>();
  for (const [index, stop] of stops.entries()) {
    const visit = await makeVisit(phone, stop, pack.goods, pictureAt(pictures, index), random);
    mine.add(visit.order);
    await writeRecord(phone, stop, visit.id);
  }
  const events = (await phone.ask("events")) as { state: string; envelope: object }[];
  const eventBytes = sumOf(events, ({ state, envelope }) =>
    state === "at-hq" ? 0 : Buffer.byteLength(JSON.stringify(envelope)),
  );
  const before = link.counters();
  if (profile.flap !== null) link.flap(profile.flap.upMs, profile.flap.downMs);
  if (profile.cuts !== null) link.cutAtRandom(profile.cuts.everyMs, profile.cuts.downMs, random);
  const started = performance.now();
  link.restore();
  const ordersSafeMs = (await acknowledged.all(mine)) - started;
  await drain(phone, ["facts", "documents"]);
  const factsAndDocumentsMs = performance.now() - started;
  const waits: { ms: number; upMs: number }[] = [];
  if (!profile.ordersApart) waits.push(...(await captureOrders(field, acknowledged, profile)));
  await drain(phone, ["facts", "documents", "photos"]);
  const allDoneMs = performance.now() - started;
  const after = link.counters();
  const documentBytes = await documentBytesOf(phone);
  const photos = (await phone.ask("photos")) as { bytes: number; previewBytes: number; state: string }[];
  const photoBytes = sumOf(photos, ({ bytes, previewBytes }) => bytes + previewBytes);
  const extraBytes = sumOf(
    ((await phone.ask("events")) as { envelope: object }[]).slice(events.length),
    ({ envelope }) => (profile.ordersApart ? 0 : Buffer.byteLength(JSON.stringify(envelope))),
  );
  const capturedBytes = eventBytes + extraBytes + documentBytes + photoBytes;
  const floorMs = floorOf(capturedBytes, profile);
  if (profile.ordersApart) {
    for (let count = 0; count < pictures.length; count += 1) await takePhoto(field, count);
    waits.push(...(await captureOrders(field, acknowledged, profile)));
    await drain(phone, ["facts", "documents", "photos"]);
  }
  link.steady();
  const upload = field.counts();
  const all = (await phone.ask("photos")) as { bytes: number; previewBytes: number; state: string }[];
  const owedBytes = sumOf(all, ({ bytes, previewBytes }) => bytes + previewBytes);
  const ms = waits.map((wait) => wait.ms);
  return {
    profile: profile.name,
    ordersSafeMs: Math.round(ordersSafeMs),
    factsAndDocumentsMs: Math.round(factsAndDocumentsMs),
    allDoneMs: Math.round(allDoneMs),
    floorMs: Math.round(floorMs),
    overFloor: Math.round((allDoneMs / floorMs) * 1_000) / 1_000,
    orders: {
      captured: waits.length,
      p50Ms: Math.round(quantile(ms, 0.5)),
      p95Ms: Math.round(quantile(ms, 0.95)),
      maxMs: Math.round(Math.max(...ms)),
      p95UpMs: Math.round(
        quantile(
          waits.map(({ upMs }) => upMs),
          0.95,
        ),
      ),
    },
    photos: all.length,
    photosAtHq: all.filter(({ state }) => state === "at-hq").length,
    cuts: after.cuts - before.cuts,
    connections: after.connections - before.connections,
    sentBytes: after.upBytes - before.upBytes,
    capturedBytes,
    uploadRequests: upload.requests,
    uploadHeadBytes: upload.headBytes,
    resentBytes: upload.resentBytes,
    resentShare: upload.resentBytes / owedBytes,
    lostInFlightBytes: Math.max(0, upload.bodyBytes - owedBytes - upload.resentBytes),
  };
}

/** The visit's document, as the app makes it at check-in and closes it at check-out. */
async function writeRecord(phone: PhoneProcess, { store }: Stop, visit: string): Promise<void> {
  const first = [
    { field: "store", set: store },
    { field: "state", set: "open" },
  ];
  await phone.ask("create", { kind: "visit", key: visit, edits: first });
  const notes = "Shelf two was empty; agreed on a second facing and a cooler next week.";
  await phone.ask("edit", {
    kind: "visit",
    key: visit,
    edits: [
      { field: "state", set: "done" },
      { field: "outcome", set: "ordered" },
      { field: "notes", at: 0, remove: 0, insert: notes },
    ],
  });
}

/** Orders at jittered moments, each while photos move: another photo is taken when there are not enough. */
async function captureOrders(
  field: Field,
  acknowledged: ReturnType<typeof watchAcknowledgements>,
  profile: Profile,
): Promise<{ ms: number; upMs: number }[]> {
  const { phone, link, pack, stops, random } = field;
  const stop = stops[0] as Stop;
  const place = { missing: "timeout" };
  const checkIn = await phone.ask("capture", { kind: "checkIn", store: stop.store, place, body: { plan: null } });
  const visit = idOf(checkIn);
  const open: Promise<{ ms: number; upMs: number }>[] = [];
  for (let count = 0; count < ORDERS; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, profile.orderEveryMs * (0.5 + random())));
    const { queue } = (await phone.ask("status")) as { queue: Owed };
    if (queue.photos === 0) await takePhoto(field, count);
    const capturedAt = performance.now();
    const downBefore = link.counters().downMs;
    const body = orderBody(pack.goods, 6 + Math.floor(random() * 7), random);
    const order = idOf(await phone.ask("capture", { kind: "orderPlaced", visit, store: stop.store, place, body }));
    open.push(
      acknowledged.all(new Set([order])).then((at) => {
        const down = link.counters().downMs - downBefore;
        return { ms: at - capturedAt, upMs: at - capturedAt - down };
      }),
    );
  }
  return Promise.all(open);
}

async function takePhoto({ phone, stops, pictures }: Field, index: number): Promise<void> {
  const { store } = stops[index % stops.length] as Stop;
  const place = { missing: "timeout" };
  const visit = idOf(await phone.ask("capture", { kind: "checkIn", store, place, body: { plan: null } }));
  await phone.ask("photo", { file: pictureAt(pictures, index), visit, store, purpose: "shelf", place });
}

const idOf = (fact: unknown) => (fact as { envelope: { id: string } }).envelope.id;
const pictureAt = (pictures: readonly string[], index: number) => pictures[index % pictures.length] as string;
const sumOf = <T>(list: readonly T[], of: (one: T) => number) => list.reduce((sum, one) => sum + of(one), 0);

function drain(phone: PhoneProcess, lanes: readonly string[]): Promise<unknown> {
  return phone.ask("drain", { lanes, timeoutMs: LONGEST_MS }, LONGEST_MS + 5_000);
}

/** When each fact's acknowledgement was durable on the phone, as the phone says it. */
function watchAcknowledgements(phone: PhoneProcess) {
  const times = new Map<string, number>();
  const waiting = new Set<() => void>();
  phone.process.onLine((line) => {
    if (line["event"] !== "acknowledged") return;
    times.set(String(line["id"]), performance.now());
    for (const look of waiting) look();
  });
  return {
    /** Resolves with the moment at which the last of these was acknowledged. */
    all: (ids: ReadonlySet<string>): Promise<number> =>
      new Promise((resolve) => {
        const look = () => {
          if (![...ids].every((id) => times.has(id))) return;
          waiting.delete(look);
          resolve(Math.max(...[...ids].map((id) => times.get(id) ?? 0)));
        };
        waiting.add(look);
        look();
      }),
  };
}

async function documentBytesOf(phone: PhoneProcess): Promise<number> {
  const attempts = (await phone.ask("attempts")) as { lane: string; outcome: string; bytes: number }[];
  return sumOf(attempts, ({ lane, outcome, bytes }) =>
    lane === "documents" && outcome === "acknowledged" ? bytes : 0,
  );
}

function floorOf(bytes: number, { bitsPerSecond, flap }: Profile): number {
  const upMs = (bytes * 8_000) / bitsPerSecond + ROUND_TRIP_MS;
  if (flap === null) return upMs;
  return upMs + Math.floor(upMs / flap.upMs) * flap.downMs;
}

export const seconds = (ms: number): string => `${round(ms / 1_000)} s`;
