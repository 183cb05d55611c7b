// The stream of a terminal (server/src/http/terminal.rs): binary messages are the terminal's bytes, text messages say how it stands to its VM.
// It connects again by itself whenever the console asks for that, or the connection is lost.

const RETRY_MS = [300, 1000, 2000, 5000];
const STREAM_RESTARTS = 1012;
const SESSION_OVER = 4401;

export class Link {
  #socket;
  #failures = 0;
  #retry;
  #box = document.querySelector('#terminal');
  #status = document.querySelector('#status');
  #takeOver = document.querySelector('#take-over');
  #again = document.querySelector('#again');

  /** `kind` is serial or screen; `on` has `connected`, `bytes` and `closed`. */
  constructor(kind, on) {
    this.kind = kind;
    this.on = on;
    this.#takeOver.addEventListener('click', () => this.open(true));
    this.#again.addEventListener('click', () => this.open());
    addEventListener('pagehide', () => this.#socket?.close());
    addEventListener('pageshow', (event) => event.persisted && this.open());
    this.open();
  }

  open(takeOver = false) {
    clearTimeout(this.#retry);
    this.#takeOver.hidden = this.#again.hidden = true;
    let isOver = false;
    const address = new URL(`/ws/vms/${this.#box.dataset.vm}/${this.kind}${takeOver ? '?take_over=true' : ''}`, location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = (this.#socket = new WebSocket(address));
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      if (typeof data !== 'string') return this.on.bytes(data);
      isOver = this.#tell(JSON.parse(data));
    });
    socket.addEventListener('close', ({ code }) => {
      if (socket !== this.#socket) return;
      this.on.closed?.();
      this.#box.classList.add('away');
      if (code === SESSION_OVER) {
        this.say('Your session is over. Log in again.');
        this.#again.hidden = false;
      } else if (!isOver) {
        if (code !== STREAM_RESTARTS) this.say('The connection is lost. Connecting again…');
        const wait = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)];
        this.#failures += 1;
        this.#retry = setTimeout(() => this.open(), wait);
      }
    });
  }

  /** Shows a status; true if it is the last. */
  #tell({ status, host, text, problem, in_use: inUse }) {
    this.#box.classList.toggle('away', status !== 'connected');
    if (status === 'connected') {
      this.#failures = 0;
      this.say(`Connected on ${host}`);
      this.on.connected();
      return false;
    }
    if (status === 'waiting') {
      this.say(`${text} Connecting again…`);
      return false;
    }
    this.say([problem.sentence, problem.fix].filter(Boolean).join(' '));
    this.#takeOver.hidden = !inUse;
    this.#again.hidden = false;
    return true;
  }

  say(text) {
    this.#status.textContent = text;
  }

  send(bytes) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  get socket() {
    return this.#socket;
  }
}

/** The key bar: calls `press` with the name of a key. Returns whether Ctrl is held for the next key, and lets go of it. */
export function keyBar(press) {
  const ctrl = document.querySelector('#ctrl');
  const hold = (isHeld) => ctrl.setAttribute('aria-pressed', String(isHeld));
  const isHeld = () => ctrl.getAttribute('aria-pressed') === 'true';
  // The terminal keeps the focus, and with it a phone its keyboard.
  document.querySelector('.terminal-keys').addEventListener('pointerdown', (event) => {
    if (event.target.closest('button')) event.preventDefault();
  });
  ctrl.addEventListener('click', () => hold(!isHeld()));
  for (const button of document.querySelectorAll('[data-key]')) {
    button.addEventListener('click', () => press(button.dataset.key));
  }
  return () => {
    const wasHeld = isHeld();
    hold(false);
    return wasHeld;
  };
}
