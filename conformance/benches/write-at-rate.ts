import type { RawWriter } from "../src/raw-writer.ts";
import { pushChanges, type StoreMaster } from "../src/store-masters.ts";
import { nowMs } from "./measure.ts";

/** Who writes in which store. */
export interface Pen {
  readonly device: RawWriter;
  readonly master: StoreMaster;
}

export interface Rate {
  readonly changesPerSecond: number;
  readonly forMs: number;
  readonly changesPerPush: number;
  /** Each change writes its number into the registration number, so that whoever shows the store can be asked for it. */
  readonly numbered: boolean;
}

/** One push: when it was due, when it was answered (milliseconds of the machine's monotonic clock), and its positions. */
export interface TimedPush {
  readonly dueMs: number;
  readonly answeredMs: number;
  readonly positions: readonly number[];
}

/**
 * Pushes small edits by all pens in turn, each push when it is due and not when the one before was answered: a relay
 * that falls behind is seen to. The changes are encoded beforehand, so that the relay is measured and not the writer.
 * Throws where one was not stored.
 */
export async function writeAtRate(
  pens: readonly Pen[],
  { changesPerSecond, forMs, changesPerPush, numbered }: Rate,
): Promise<{ readonly pushes: readonly TimedPush[] }> {
  const count = Math.round((changesPerSecond * forMs) / 1_000 / changesPerPush);
  const edit = ({ master }: Pen, number: number) =>
    numbered ? master.write([{ field: "registrationNumber", value: String(number) }]) : master.edit();
  const prepared = Array.from({ length: count }, (_, index) => {
    const pen = pens[index % pens.length] as Pen;
    return { pen, changes: Array.from({ length: changesPerPush }, () => edit(pen, index)) };
  });
  const gapMs = forMs / count;
  const startMs = nowMs() + gapMs;
  const answers: Promise<TimedPush>[] = [];
  let failure: Error | null = null;
  for (const [index, { pen, changes }] of prepared.entries()) {
    const dueMs = startMs + index * gapMs;
    while (nowMs() < dueMs) await new Promise((resolve) => setTimeout(resolve, 1));
    answers.push(
      pushChanges(pen.device, pen.master, changes).then((answer) => {
        const positions = answer?.["stored"] as number[] | undefined;
        if (positions?.length !== changesPerPush)
          failure ??= new Error(`a push was answered ${JSON.stringify(answer)}`);
        return { dueMs, answeredMs: nowMs(), positions: positions ?? [] };
      }),
    );
    if (failure !== null) throw failure;
  }
  const pushes = await Promise.all(answers);
  if (failure !== null) throw failure;
  return { pushes };
}
