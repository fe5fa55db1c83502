// SPDX-License-Identifier: MIT
// EventSource for node, which has none: the part of the WHATWG interface that clients use.

export class EventSource extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSED = 2;
  readyState = EventSource.CONNECTING;
  #lastEventId = '';
  #controller = new AbortController();

  constructor(url) {
    super();
    this.url = url;
    this.#run();
  }

  close() {
    this.readyState = EventSource.CLOSED;
    this.#controller.abort();
  }

  async #run() {
    const headers = { Accept: 'text/event-stream' };
    if (this.#lastEventId) headers['Last-Event-ID'] = this.#lastEventId;
    try {
      const answer = await fetch(this.url, { headers, signal: this.#controller.signal });
      if (answer.status !== 200 || !answer.headers.get('Content-Type')?.startsWith('text/event-stream')) return this.#fail();
      this.readyState = EventSource.OPEN;
      this.dispatchEvent(new Event('open'));
      let text = '';
      const decoder = new TextDecoder();
      for await (const piece of answer.body) {
        text += decoder.decode(piece, { stream: true });
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          this.#dispatch(text.slice(0, end));
          text = text.slice(end + 2);
        }
      }
    } catch {
      // closed, or the daemon went away
    }
    this.#fail();
  }

  #dispatch(block) {
    const fields = block.split('\n').map((line) => /^([^:]*):? ?(.*)$/s.exec(line)).map(([, name, value]) => [name, value]);
    const valueOf = (name) => fields.filter(([field]) => field === name).map(([, value]) => value);
    this.#lastEventId = valueOf('id').at(-1) ?? this.#lastEventId;
    if (valueOf('data').length === 0) return;
    const event = new Event(valueOf('event').at(-1) ?? 'message');
    event.data = valueOf('data').join('\n');
    event.lastEventId = this.#lastEventId;
    this.dispatchEvent(event);
  }

  #fail() {
    if (this.readyState === EventSource.CLOSED) return;
    this.readyState = EventSource.CLOSED;
    this.dispatchEvent(new Event('error'));
  }
}
