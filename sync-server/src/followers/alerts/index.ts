import { clockSkew } from "./clock-skew.ts";
import { diskLow } from "./disk.ts";
import { followerStuck } from "./follower-stuck.ts";
import { photoDebt } from "./photo-debt.ts";
import { queueGrowing } from "./queue-growing.ts";
import { refusalSpike } from "./refusal-spike.ts";
import { silence } from "./silence.ts";
import type { Watch } from "./watch.ts";

/** Everything that raises an alert. A new one is a file and a line here. */
export const watches: readonly Watch[] = [
  queueGrowing,
  silence,
  refusalSpike,
  clockSkew,
  photoDebt,
  followerStuck,
  diskLow,
];
