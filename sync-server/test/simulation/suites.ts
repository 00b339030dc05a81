import { converge } from "./converge/index.ts";
import type { Suite } from "./suite.ts";

export const suites: readonly Suite[] = [converge];
