import { Capacitor } from "@capacitor/core";

/** Whether this is the installed Android or iOS app; otherwise it is a page in a browser. */
export const isNative = Capacitor.isNativePlatform();

/** The relay that served this page; null in the installed app, whose files come from the phone itself. */
export const servedBy = isNative ? null : location.origin;

/** For the enrolment: what HQ sees in its list of devices. */
export const platformName = `${Capacitor.getPlatform()} ${navigator.userAgent}`.slice(0, 100);
