import { randomUUID } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** The demo that the tests drive: hosts, a port and a directory of its own, so that a demo of a person's may run beside it. */
export const demo = {
  url: 'http://127.0.0.1:18080',
  network: '127.0.77.0',
  dir: join(tmpdir(), `vmferry-browser-${userInfo().uid}`),
  user: 'admin',
  /** One password a run: Playwright's workers read this file again, and inherit the environment. */
  password: (process.env.VMFERRY_ADMIN_PASSWORD ??= randomUUID()),
  /** What `virsh -c` takes to look at a host past the console. */
  hosts: {
    alpha: 'qemu+tcp://127.0.77.2/session',
    beta: 'qemu+tcp://127.0.77.3/session',
    gamma: 'qemu+tcp://127.0.77.4/session',
    /** Not registered until a user adds it. */
    delta: 'qemu+tcp://127.0.77.5/session',
  },
};
