/** The interface of a CDN that can be told what has changed: Fastly, Varnish, or none. */

export interface Purger {
  /** Which CDN, for messages; never with a secret. */
  readonly description: string;
  /**
   * Returns when the CDN has accepted every key. Accepted is not done: CDNs have gone on serving what
   * they said was purged, so the caller reads back. Purging a key again, or one that marks nothing, is
   * harmless; no keys is no request.
   *
   * A fetch that left for the origin before the object changed may store the old object after the purge,
   * so the caller purges once more a little later.
   *
   * Takes at most 45 seconds with the usual settings, however many keys.
   *
   * @throws SkepError `purge_refused` when the CDN refused or did not answer within the retries, or a
   *   key is not fit to be sent; some of the keys may have been purged.
   */
  purge(surrogateKeys: readonly string[]): Promise<void>;
}
