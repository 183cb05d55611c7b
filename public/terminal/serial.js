// The page of a VM's serial console: xterm.js over the terminal's stream.

import { FitAddon, Terminal } from '/vendor/xterm.js';
import { keyBar, Link } from '/terminal/link.js';

// A message of the stream may have 64 KiB.
const PIECE = 16 * 1024;
const SEQUENCES = {
  Escape: '\x1b',
  Tab: '\t',
  Enter: '\r',
  Backspace: '\x7f',
  ArrowUp: '\x1b[A',
  ArrowDown: '\x1b[B',
  ArrowRight: '\x1b[C',
  ArrowLeft: '\x1b[D',
};

allowStylesOfXterm();
const terminal = new Terminal({
  fontFamily: 'ui-monospace, Menlo, Consolas, monospace',
  fontSize: 14,
  scrollback: 10_000,
  theme: { background: '#10191c', foreground: '#e8ece9' },
});
const fit = new FitAddon();
terminal.loadAddon(fit);
const box = document.querySelector('#terminal');
terminal.open(box);
new ResizeObserver(() => fit.fit()).observe(box);

const encoder = new TextEncoder();
const link = new Link('serial', {
  connected: () => terminal.focus(),
  bytes: (bytes) => terminal.write(new Uint8Array(bytes)),
});
const isCtrl = keyBar((key) => {
  const sequence = SEQUENCES[key];
  // After the program in the guest has asked for application cursor keys, arrows are ESC O.
  const isApplication = terminal.modes.applicationCursorKeysMode && key.startsWith('Arrow');
  link.send(encoder.encode(isApplication ? sequence.replace('[', 'O') : sequence));
});
terminal.onData((text) => {
  const bytes = encoder.encode(text.length === 1 && isCtrl() ? control(text) : text);
  for (let at = 0; at < bytes.length; at += PIECE) link.send(bytes.slice(at, at + PIECE));
});
terminal.onBinary((text) => link.send(Uint8Array.from(text, (char) => char.charCodeAt(0))));

/** What Ctrl and this key send. */
function control(key) {
  const code = key.toUpperCase().charCodeAt(0);
  return code >= 0x40 && code < 0x60 ? String.fromCharCode(code & 0x1f) : key;
}

/** xterm.js makes <style> elements and sets style attributes, which the page's policy forbids: the elements get the page's nonce, and the
 * attributes are set through the object model, which the policy allows. */
function allowStylesOfXterm() {
  const { nonce } = document.querySelector('script[nonce]');
  const createElement = document.createElement.bind(document);
  document.createElement = (name, options) => {
    const element = createElement(name, options);
    if (name === 'style') element.nonce = nonce;
    return element;
  };
  const setAttribute = HTMLElement.prototype.setAttribute;
  HTMLElement.prototype.setAttribute = function (name, value) {
    if (name === 'style') this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };
}
