import { laneNames, type LaneName, type Lanes } from "./lanes.ts";

/** Gives the link to the most urgent lane that has something to send. */
export function createLanes(): Lanes {
  const waits = new Set<LaneName>();
  const inFlight: Record<LaneName, number> = { facts: 0, documents: 0, photos: 0 };
  let queue: { readonly lane: LaneName; readonly enter: () => void }[] = [];

  const higherThan = (lane: LaneName) => laneNames.slice(0, laneNames.indexOf(lane));
  const mayEnter = (lane: LaneName) => higherThan(lane).every((higher) => !waits.has(higher));
  const isWanted = (lane: LaneName) => waits.has(lane) || inFlight[lane] > 0 || queue.some((one) => one.lane === lane);

  const letIn = () => {
    for (const lane of laneNames) {
      if (!mayEnter(lane)) return;
      const free = queue.filter((one) => one.lane === lane);
      queue = queue.filter((one) => one.lane !== lane);
      for (const { enter } of free) enter();
    }
  };

  return {
    waiting: (lane, does) => {
      if (does) waits.add(lane);
      else waits.delete(lane);
      letIn();
    },
    enter: (lane) =>
      new Promise((resolve) => {
        const enter = () => {
          inFlight[lane] += 1;
          let released = false;
          resolve(() => {
            if (released) return;
            released = true;
            inFlight[lane] -= 1;
            letIn();
          });
        };
        queue.push({ lane, enter });
        letIn();
      }),
    mustYield: (lane) => higherThan(lane).some(isWanted),
  };
}
