export { captureMs } from "../order-log/event-time.ts";
