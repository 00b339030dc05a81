import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { startLineProcess } from "../src/line-process.ts";
import { operate, ROOT, startRelay } from "../src/relay-process.ts";
import { makePhoneSizedPhoto, shelfPhotos } from "../stories/shelf-photo.ts";
import { measureProfile, seconds, type Profile, type ProfileFigures } from "./drain-profile.ts";
import { atMost, type Bench, type BenchOptions, type Goal } from "./measure.ts";

const VISITS = 6;
const STOCK_CAP_MS = 120_000;
/** As the demo workspace's pack has it. */
const POLICY = { longestEdge: 1_600, quality: 80 };

const at400 = {
  bitsPerSecond: 400_000,
  visits: VISITS,
  flap: null,
  cuts: null,
  orderEveryMs: 1_200,
  ordersApart: false,
};

/** The links, each with a rep of its own, so that each begins with a phone that was never used. */
const profiles = {
  steady: { rep: "R001", link: { ...at400, name: "steady, 400 kbit/s", ordersApart: true } },
  "20-up-5-down": {
    rep: "R002",
    link: { ...at400, name: "20 s up, 5 s down", flap: { upMs: 20_000, downMs: 5_000 } },
  },
  "5-up-5-down": { rep: "R003", link: { ...at400, name: "5 s up, 5 s down", flap: { upMs: 5_000, downMs: 5_000 } } },
  thin: {
    rep: "R004",
    link: {
      name: "64 kbit/s, cut at random",
      bitsPerSecond: 64_000,
      visits: 2,
      flap: null,
      cuts: { everyMs: 20_000, downMs: 500 },
      orderEveryMs: 2_600,
      ordersApart: false,
    },
  },
} satisfies Record<string, { rep: string; link: Profile }>;
type ProfileName = keyof typeof profiles;
const profileNames = Object.keys(profiles) as ProfileName[];

/** All six visits on the thin link take four minutes, so the orders are captured further apart. */
const wholeThin = { visits: VISITS, orderEveryMs: 6_000 };

/** What stock automerge-repo made of the same work; null durations where it did not finish. */
interface StockFigures {
  readonly design: string;
  readonly ordersSafeMs: number | null;
  readonly allDoneMs: number | null;
  readonly arrived: number;
  readonly documents: number;
  readonly sentBytes: number;
  readonly connections: number;
  readonly unhandled: number;
}

export const drain: Bench = {
  does: "six visits with photos over thin and breaking links, beside the link's floor and stock automerge-repo",
  profiles: [...profileNames, "stock"],
  run: async ({ full, profile, say }) => {
    const folder = await temporaryFolder("bench-drain");
    const data = path.join(folder, "relay");
    await operate("import", path.join(ROOT, "sync-server/demo"), "--dir", data);
    const relay = await startRelay(data);
    try {
      const pictures = await makePictures(folder);
      const figures: Partial<Record<ProfileName, ProfileFigures>> = {};
      const run = async (name: ProfileName) => {
        const { rep, link } = profiles[name];
        const shape = name === "thin" && full ? { ...link, ...wholeThin } : link;
        const measured = await measureProfile(
          relay,
          { data, rep, folder, pictures, seed: Number(rep.slice(1)) },
          shape,
        );
        tell(measured, say);
        figures[name] = measured;
      };
      const chosen = profileNames.filter((name) => profile === null || profile === name);
      for (const name of chosen) if (name !== "thin") await run(name);
      // The thin link leaves the processor idle, so the stock stack is measured beside it.
      const [stock] = await Promise.all([
        profile === null || profile === "stock"
          ? Promise.all([measureStock("inside", say), measureStock("own", say)])
          : null,
        chosen.includes("thin") ? run("thin") : null,
      ]);
      return { bench: "drain", ours: Object.values(figures), stock, goals: goalsOf(figures) };
    } finally {
      await relay.process.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function makePictures(folder: string): Promise<readonly string[]> {
  const names = await shelfPhotos();
  const files: string[] = [];
  for (let index = 0; index < VISITS; index += 1) {
    const file = path.join(folder, `photo-${index + 1}.jpg`);
    const name = names[index % names.length] as string;
    await writeFile(file, await makePhoneSizedPhoto(name, `Visit ${index + 1}`, POLICY));
    files.push(file);
  }
  return files;
}

/** What must hold for what was measured. */
function goalsOf(figures: Partial<Record<ProfileName, ProfileFigures>>): Goal[] {
  const { steady, thin } = figures;
  const all = Object.values(figures);
  return [
    ...(steady === undefined ? [] : goalsOfSteady(steady)),
    ...(thin === undefined
      ? []
      : [
          atMost("p95 of an order captured while photos move, 64 kbit/s cut at random", thin.orders.p95Ms, 2_500, "ms"),
        ]),
    ...all.map((of) => ({
      name: `photos at HQ, ${of.profile}`,
      goal: `${of.photos}`,
      value: `${of.photosAtHq}`,
      met: of.photosAtHq === of.photos,
    })),
    ...all
      .filter((of) => of !== steady)
      .map((of) => atMost(`acknowledged bytes sent again, ${of.profile}`, of.resentShare * 100, 1, "%")),
  ];
}

const goalsOfSteady = ({ ordersSafeMs, overFloor, orders }: ProfileFigures): Goal[] => [
  atMost("six orders safe after the link is up, steady", ordersSafeMs, 1_000, "ms"),
  atMost("everything over the link's floor, steady", overFloor, 1.08, "×"),
  atMost("p95 of an order captured while photos move, 400 kbit/s", orders.p95Ms, 700, "ms"),
];

function tell(figures: ProfileFigures, say: BenchOptions["say"]): void {
  const { profile, orders, photosAtHq, photos } = figures;
  say(
    `${profile}: orders of the visits safe after ${seconds(figures.ordersSafeMs)}, all in after ${seconds(figures.allDoneMs)}, ${figures.overFloor} × the floor of ${seconds(figures.floorMs)}; ${figures.cuts} cuts.`,
  );
  say(
    `  ${orders.captured} orders captured while photos moved: durable after p50 ${orders.p50Ms}, p95 ${orders.p95Ms}, at most ${orders.maxMs} ms (p95 without the time that had no signal: ${orders.p95UpMs} ms). ${photosAtHq} of ${photos} photos at HQ.`,
  );
  say(
    `  ${figures.sentBytes} bytes sent for ${figures.capturedBytes} captured; ${figures.resentBytes} acknowledged bytes sent again, ${figures.lostInFlightBytes} lost under way.`,
  );
}

/** Stock automerge-repo on the steady link: photo bytes `inside` the visit's document or in documents of their `own`. */
async function measureStock(design: "inside" | "own", say: BenchOptions["say"]): Promise<StockFigures> {
  const child = startLineProcess(["conformance/benches/stock-drain-process.ts", design, String(STOCK_CAP_MS)], ROOT);
  try {
    const figures = (await child.line(
      (line) => line["design"] === design,
      STOCK_CAP_MS + 60_000,
    )) as unknown as StockFigures;
    const after = (ms: number | null) => (ms === null ? `not in ${seconds(STOCK_CAP_MS)}` : `after ${seconds(ms)}`);
    say(
      `Stock automerge-repo, steady, photos ${design === "inside" ? "inside the visits" : "as documents of their own"}: orders safe ${after(figures.ordersSafeMs)}, all in ${after(figures.allDoneMs)}${figures.allDoneMs === null ? " (did not finish)" : ""}; ${figures.arrived} of ${figures.documents} documents, ${figures.sentBytes} bytes, ${figures.connections} connections, ${figures.unhandled} unhandled rejections.`,
    );
    return figures;
  } finally {
    await child.kill();
  }
}
