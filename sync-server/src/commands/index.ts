import type { Command } from "./command.ts";
import { enrol } from "./enrol.ts";
import { revoke } from "./revoke.ts";
import { serve } from "./serve.ts";

/** Every command there is: a new one adds its line here. */
export const commands: readonly Command[] = [serve, enrol, revoke];
