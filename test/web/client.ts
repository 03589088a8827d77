/** A browser that knows cookies and forms, and nothing else. */
export class WebClient {
  cookie: string | undefined;
  lastSetCookie: readonly string[] = [];
  readonly #url: string;
  readonly #onSecret: (secret: string) => void;

  /** @param onSecret told of every session's secret */
  constructor(url: string, onSecret: (secret: string) => void = () => undefined) {
    this.#url = url;
    this.#onSecret = onSecret;
  }

  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("accept")) headers.set("accept", "text/html");
    if (this.cookie !== undefined) headers.set("cookie", `skep=${this.cookie}`);
    const response = await fetch(this.#url + path, { ...init, headers, redirect: "manual" });
    this.lastSetCookie = response.headers.getSetCookie();
    for (const line of this.lastSetCookie) {
      const value = /^skep=([^;]*)/.exec(line)?.[1];
      if (value !== undefined) this.cookie = value === "" ? undefined : value;
      if (value) this.#onSecret(value);
    }
    return response;
  }

  /** @returns the token of the first form of a page. */
  async csrf(path: string): Promise<string> {
    const html = await (await this.send(path)).text();
    return /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? "";
  }

  async post(path: string, fields: Record<string, string>, page = path): Promise<Response> {
    const csrf = fields.csrf ?? (await this.csrf(page));
    return this.send(path, { method: "POST", body: new URLSearchParams({ ...fields, csrf }) });
  }

  signIn(username: string, password = "password", fields: Record<string, string> = {}): Promise<Response> {
    return this.post("/login", { username, password, ...fields });
  }
}
