import { createFieldPhone, fixAt, orderBody, uuid, type Captured } from "./field-phone.ts";
import { stillMasters, storeAtPlace } from "./still-masters.ts";

/** mulberry32 (T. Ettinger, public domain): small, seeded, good enough to shuffle. */
export function seededRandom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values];
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [result[index], result[other]] = [result[other] as T, result[index] as T];
  }
  return result;
}

const stores = Array.from({ length: 6 }, (_, n) => storeAtPlace(`S-${n}`, 2.7 + 0.012 * n, 101.9 + 0.007 * (n % 3)));
export const fleetMasters = stillMasters({ stores });

export interface Arrived extends Captured {
  readonly received: string;
}

/** A few days of a few people, with every kind of wrong thing now and then. */
export function randomFleet(seed: number): Arrived[] {
  const random = seededRandom(seed);
  const chance = (share: number) => random() < share;
  const events: Arrived[] = [];
  const pictures: string[] = [];
  for (const rep of ["R1", "R2", "R3"]) {
    const phone = createFieldPhone(`phone-${rep}`, rep);
    let stuck: ReturnType<typeof fixAt> | null = null;
    for (let day = 2; day <= 6; day += 1) {
      let clockMs = Date.UTC(2026, 10, day, 1, Math.floor(random() * 40));
      let skewMs = 0;
      const delayMs = chance(0.15) ? 60 * 3_600_000 : Math.floor(random() * 6 * 3_600_000);
      const capture = (...[kind, body, options]: Parameters<typeof phone.capture>) => {
        const wall = new Date(clockMs + skewMs).toISOString();
        const one = phone.capture(kind, body, {
          ...options,
          at: wall,
          wall,
          tick: clockMs - Date.UTC(2026, 10, 1),
          boot: `boot-${rep}-${day}`,
        });
        events.push({ ...one, received: new Date(clockMs + delayMs).toISOString() });
        clockMs += Math.floor((1 + random() * 6) * 60_000);
        return one.envelope;
      };
      if (chance(0.1)) {
        const date = `2026-11-0${day}`;
        capture("leaveTaken", { from: date, to: date, type: "medical", note: "" }, { at: "" });
      }
      for (const store of shuffled(stores, random).slice(0, 4)) {
        const noise = () => (random() - 0.5) / 2_000;
        const lat = (store.lat ?? 0) + noise();
        const lon = (store.lon ?? 0) + noise();
        const honest = fixAt(lat, lon, 5 + Math.floor(random() * 40));
        if (chance(0.05)) stuck = stuck === null ? honest : null;
        if (chance(0.06)) skewMs = skewMs === 0 ? -7 * 3_600_000 : 0;
        const odd = random();
        const place =
          odd < 0.03
            ? fixAt(0, 0)
            : odd < 0.06
              ? fixAt(lon, lat)
              : odd < 0.1
                ? fixAt(lat + 0.8, lon)
                : odd < 0.13
                  ? fixAt(lat + 0.03, lon)
                  : odd < 0.16
                    ? fixAt(lat, lon, 2_000)
                    : odd < 0.19
                      ? fixAt(lat, lon, 9, true)
                      : (stuck ?? honest);
        const visit = uuid(`${seed} ${rep} ${day} ${store.code}`);
        const at = { at: "", visit, store: store.code, place };
        if (!chance(0.05)) capture("checkIn", { plan: null }, { ...at, id: visit });
        const count = chance(0.05) ? 900 : 10 + Math.floor(random() * 12);
        capture("orderPlaced", orderBody(count), at);
        const sha = chance(0.1) ? pictures[0] : undefined;
        const sha256 = sha ?? uuid(`${seed} ${pictures.length}`).replaceAll("-", "").repeat(2);
        pictures.push(sha256);
        const dhash = chance(0.2) ? "0f".repeat(32) : uuid(sha256).replaceAll("-", "").repeat(2);
        capture(
          "photoCaptured",
          { sha256, bytes: 1_000, type: "image/jpeg", width: 10, height: 10, dhash, purpose: "shelf" },
          at,
        );
        if (!chance(0.1)) capture("checkOut", { outcome: "ordered" }, at);
        clockMs += Math.floor(random() * 30 * 60_000);
      }
    }
  }
  return events;
}
