import { orderTotalSen } from "@sampai/engine";
import { ringgit } from "@sampai/engine/core";
import { defineDetector } from "./detector.ts";

/** Exponentially weighted mean and variance of natural logarithms. */
interface Habit {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

interface State {
  readonly value: Habit;
  /** By SKU and unit. */
  readonly items: Readonly<Record<string, Habit>>;
}

type Evidence =
  | { readonly cause: "value"; readonly totalSen: number; readonly usualSen: number; readonly orders: number }
  | {
      readonly cause: "quantity";
      readonly sku: string;
      readonly unit: string;
      readonly quantity: number;
      readonly usual: number;
      readonly orders: number;
    };

/** What a store orders before anything is known of it: about RM 350, give or take a factor of three, worth two orders. */
const PRIOR = { mean: Math.log(35_000), variance: 1.2, weight: 2 } as const;
const Z = 3;
const VALUE_TIMES = 4;
const QUANTITY_TIMES = 8;
const HELD_TIMES = 20;
const LEAST_ITEM_ORDERS = 3;
/** Nobody orders the same to the sen: a spread below this is an accident of few orders. */
const LEAST_VARIANCE = 0.06;
/** Share of the newest order in the habit once there are many. */
const NEWEST_SHARE = 0.15;
const CLIP = 2;
const ITEMS_KEPT = 400;

/** An order far above what this store orders: a slip of a digit, or a case typed as a piece. Asked, not accused. */
export const unusualOrder = defineDetector<State, Evidence>({
  name: "unusual-order",
  version: 1,
  subject: "store",
  facts: ["orderPlaced", "orderAmended"],
  consequence: "annotate",
  start: () => ({ value: { n: 0, mean: 0, variance: 0 }, items: {} }),
  step: (state, seen) => {
    const { fact } = seen;
    if (fact?.kind !== "orderPlaced" && fact?.kind !== "orderAmended") return { state };
    const { lines } = fact.body;
    const totalSen = orderTotalSen(lines);
    if (totalSen <= 0) return { state };
    const expected = withPrior(state.value);
    const times = totalSen / Math.exp(expected.mean);
    const z = (Math.log(totalSen) - expected.mean) / Math.sqrt(expected.variance);
    const odd = lines
      .map((line) => ({ line, habit: state.items[itemOf(line)] }))
      .flatMap(({ line, habit }) => {
        if (habit === undefined || habit.n < LEAST_ITEM_ORDERS) return [];
        const deviation = Math.log(line.quantity) - habit.mean;
        const isOdd =
          deviation > Math.log(QUANTITY_TIMES) && deviation / Math.sqrt(Math.max(habit.variance, LEAST_VARIANCE)) > Z;
        return isOdd ? [{ line, habit, deviation }] : [];
      })
      .toSorted((a, b) => b.deviation - a.deviation)[0];
    // An amendment is judged, but what is learnt from is the order as it was placed.
    const next = fact.kind === "orderPlaced" ? learn(state, lines, totalSen, expected) : state;
    if (z > Z && times > VALUE_TIMES) {
      const evidence = {
        cause: "value" as const,
        totalSen,
        usualSen: Math.round(Math.exp(expected.mean)),
        orders: state.value.n,
      };
      const held = times > HELD_TIMES ? ({ consequence: "hold-order" } as const) : {};
      return { state: next, findings: [{ event: seen, evidence, ...held }] };
    }
    if (odd === undefined) return { state: next };
    const { line, habit, deviation } = odd;
    const evidence = {
      cause: "quantity" as const,
      sku: line.sku,
      unit: line.unit,
      quantity: line.quantity,
      usual: Math.round(Math.exp(habit.mean)),
      orders: habit.n,
    };
    const held = deviation > Math.log(HELD_TIMES) ? ({ consequence: "hold-order" } as const) : {};
    return { state: next, findings: [{ event: seen, evidence, ...held }] };
  },
  sentence: (evidence) =>
    evidence.cause === "value"
      ? `${ringgit(evidence.totalSen)}; this store orders about ${ringgit(evidence.usualSen)} (${evidence.orders} orders).`
      : `${evidence.quantity} × ${evidence.sku} (${evidence.unit}); this store orders about ${evidence.usual} (${evidence.orders} orders). A case typed as a piece?`,
});

const itemOf = ({ sku, unit }: { readonly sku: string; readonly unit: string }) => `${sku} ${unit}`;

function withPrior({ n, mean, variance }: Habit): { readonly mean: number; readonly variance: number } {
  const total = PRIOR.weight + n;
  return {
    mean: (PRIOR.weight * PRIOR.mean + n * mean) / total,
    variance: Math.max(LEAST_VARIANCE, (PRIOR.weight * PRIOR.variance + n * variance) / total),
  };
}

function learn(
  state: State,
  lines: readonly { readonly sku: string; readonly unit: string; readonly quantity: number }[],
  totalSen: number,
  expected: { readonly mean: number; readonly variance: number },
): State {
  const items = new Map(Object.entries(state.items));
  for (const line of lines) {
    const key = itemOf(line);
    const habit = items.get(key);
    // Set anew, so that the order of keys is the order of use and the ones long unused are dropped.
    items.delete(key);
    items.set(key, toward(habit ?? { n: 0, mean: 0, variance: 0 }, Math.log(line.quantity), habit));
  }
  return {
    value: toward(state.value, Math.log(totalSen), expected),
    items: Object.fromEntries([...items].slice(-ITEMS_KEPT)),
  };
}

/** One more value, clipped to two deviations around what was expected: a slip must not become a habit. */
function toward(
  habit: Habit,
  value: number,
  expected: { readonly mean: number; readonly variance: number } | undefined,
): Habit {
  if (expected === undefined) return { n: 1, mean: value, variance: 0 };
  const reach = CLIP * Math.sqrt(Math.max(expected.variance, LEAST_VARIANCE));
  const clipped = Math.min(Math.max(value, expected.mean - reach), expected.mean + reach);
  const n = habit.n + 1;
  const share = Math.max(1 / n, NEWEST_SHARE);
  const deviation = clipped - habit.mean;
  const mean = habit.mean + share * deviation;
  return { n, mean, variance: (1 - share) * (habit.variance + share * deviation ** 2) };
}
