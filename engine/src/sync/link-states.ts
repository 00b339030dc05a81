/** `idle`: told to stay offline. `refused`: the relay does not want this device; the work stays here. */
export type LinkState = "idle" | "waiting" | "connecting" | "claiming" | "online" | "refused";

/**
 * What can happen to the connection. `network-changed`: the platform says so, or the app came back. `lost`: it ended
 * or could not be opened. `refused`: the relay does not want this device.
 */
export const linkHappenings = [
  "go-online",
  "go-offline",
  "network-changed",
  "retry-due",
  "opened",
  "claimed",
  "lost",
  "refused",
] as const;
export type LinkHappening = (typeof linkHappenings)[number];

/**
 * `plan`: try again after the back-off's next delay. `plan-slow`: a refused device asks again now and then, because it
 * may be wanted again. `calm`: there is reason to believe that the link is back, so the back-off starts anew.
 */
export type LinkAction = "open" | "close" | "claim" | "calm" | "plan" | "plan-slow" | "cancel-plan";

interface Step {
  readonly to: LinkState;
  readonly actions: readonly LinkAction[];
}

const step = (to: LinkState, ...actions: LinkAction[]): Step => ({ to, actions });

/** Every state and everything that can happen in it: there is no cell without an answer. */
export const linkStates: Readonly<Record<LinkState, Readonly<Record<LinkHappening, Step>>>> = {
  idle: {
    "go-online": step("connecting", "calm", "open"),
    "go-offline": step("idle"),
    "network-changed": step("idle"),
    "retry-due": step("idle"),
    opened: step("idle"),
    claimed: step("idle"),
    lost: step("idle"),
    refused: step("idle"),
  },
  waiting: {
    "go-online": step("connecting", "cancel-plan", "calm", "open"),
    "go-offline": step("idle", "cancel-plan"),
    "network-changed": step("connecting", "cancel-plan", "calm", "open"),
    "retry-due": step("connecting", "open"),
    opened: step("waiting"),
    claimed: step("waiting"),
    lost: step("waiting"),
    refused: step("refused", "cancel-plan", "plan-slow"),
  },
  connecting: {
    "go-online": step("connecting"),
    "go-offline": step("idle", "close"),
    "network-changed": step("connecting", "close", "calm", "open"),
    "retry-due": step("connecting"),
    opened: step("claiming", "claim"),
    claimed: step("connecting"),
    lost: step("waiting", "close", "plan"),
    refused: step("refused", "close", "plan-slow"),
  },
  claiming: {
    "go-online": step("claiming"),
    "go-offline": step("idle", "close"),
    "network-changed": step("connecting", "close", "calm", "open"),
    "retry-due": step("claiming"),
    opened: step("claiming"),
    claimed: step("online"),
    lost: step("waiting", "close", "plan"),
    refused: step("refused", "close", "plan-slow"),
  },
  online: {
    "go-online": step("online"),
    "go-offline": step("idle", "close"),
    // An open connection is doubted: on another network it would be silent for long before anyone noticed.
    "network-changed": step("connecting", "close", "calm", "open"),
    "retry-due": step("online"),
    opened: step("online"),
    claimed: step("online"),
    lost: step("waiting", "close", "plan"),
    refused: step("refused", "close", "plan-slow"),
  },
  refused: {
    "go-online": step("connecting", "cancel-plan", "calm", "open"),
    "go-offline": step("idle", "cancel-plan"),
    "network-changed": step("connecting", "cancel-plan", "calm", "open"),
    "retry-due": step("connecting", "open"),
    opened: step("refused"),
    claimed: step("refused"),
    lost: step("refused"),
    refused: step("refused"),
  },
};
