// One ref for each withdrawal that was sent and is not answered, kept by its content for this tab: sent again, also after a reload, the
// server files it once.

/** The same amount, however many zeros end it. */
const plain = (amount: string): string => (amount.includes(".") ? amount.replace(/\.?0+$/, "") : amount);
const place = (to: string, amount: string): string => `tidelock.ref ${to.toLowerCase()} ${plain(amount)}`;

const newRef = (): string => `0x${[...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** The ref to send it with. An error is no answer: it may have been filed. */
export function refOf(to: string, amount: string): string {
  const ref = sessionStorage.getItem(place(to, amount)) ?? newRef();
  sessionStorage.setItem(place(to, amount), ref);
  return ref;
}

/** The next of this content is another withdrawal. */
export function answered(to: string, amount: string, ref: string): void {
  if (sessionStorage.getItem(place(to, amount)) === ref) sessionStorage.removeItem(place(to, amount));
}
