import { expect, type APIRequestContext } from '@playwright/test';
import { idOf, start, type Subject } from './pages';
import { runsOn, type HostName } from './tests/support';

/** Where a VM of the demo does not run. */
export function elsewhere(vm: string): HostName {
  const hosts: HostName[] = ['beta', 'gamma', 'alpha'];
  return hosts.find((host) => !runsOn(vm).includes(host)) ?? 'beta';
}

async function post<Answer>(request: APIRequestContext, path: string, data: object): Promise<Answer> {
  const asked = await request.post(path, { data });
  if (!asked.ok()) throw new Error(`${path}: ${await asked.text()}`);
  return asked.json();
}

/** Makes a plan, and returns its id. */
async function plan(request: APIRequestContext, asked: object): Promise<string> {
  return (await post<{ id: string }>(request, '/api/evacuations/plans', asked)).id;
}

/** Makes a plan and has it carried out; returns the id of the evacuation. */
export async function evacuate(request: APIRequestContext, asked: object): Promise<string> {
  return (await post<{ id: string }>(request, '/api/evacuations', { plan: await plan(request, asked) })).id;
}

type Evacuation = { state: string; items: { state: string | { moving?: { migration: string } } }[] };

async function evacuation(request: APIRequestContext, id: string): Promise<Evacuation> {
  return (await (await request.get(`/api/evacuations/${id}`)).json()).evacuation;
}

/** The migration of the first VM of an evacuation; empty as long as it has not begun. */
async function migrationOf(request: APIRequestContext, id: string): Promise<string> {
  const [item] = (await evacuation(request, id)).items;
  return (typeof item?.state === 'object' && item.state.moving?.migration) || '';
}

/** Pauses VMs and resumes them; returns the id of the page with the results. */
async function selection(request: APIRequestContext, vms: string[]): Promise<string> {
  let address = '';
  for (const action of ['pause', 'resume']) {
    const preview = await request.post('/selection', { form: { vms: vms.join(' '), action } });
    address = preview.url();
    const seen = /name="seen" value="(\d+)"/.exec(await preview.text())?.[1] ?? '';
    await request.post(address, { form: { seen } });
    await expect.poll(async () => (await request.get(address)).text()).toContain(': results');
  }
  return address.split('/').at(-1) ?? '';
}

/** Makes what there are pages of: `web` has moved and come back, `cache` moves and does not arrive, `db` was paused and resumed, and there is a plan. */
export async function prepare(request: APIRequestContext): Promise<Subject> {
  const [vm, db, cache] = [await idOf(request, 'web'), await idOf(request, 'db'), await idOf(request, 'cache')];
  const [home] = runsOn('web');
  const single = await start(request, 'web', elsewhere('web'), 'balanced');
  const status = async () => (await (await request.get(`/plugins/kimchi/tasks/${single}`)).json()).status;
  await expect.poll(status).toBe('finished');
  const ended = await evacuate(request, { subject: { vms: [vm] }, destination: home, reason: 'kernel update' });
  await expect.poll(async () => (await evacuation(request, ended)).state).toBe('done');
  const running = await evacuate(request, {
    subject: { vms: [cache] },
    destination: elsewhere('cache'),
    reason: 'ticket 4711',
    policy: 'gentle',
  });
  await expect.poll(() => migrationOf(request, running)).toBeTruthy();
  return {
    vm,
    host: 'alpha',
    selection: await selection(request, [vm, db]),
    plan: await plan(request, { subject: { hosts: runsOn('db') }, reason: 'kernel update' }),
    migrations: { running: await migrationOf(request, running), ended: single },
    evacuations: { running, ended },
  };
}

/** Stops an evacuation, with what it moves. */
export async function stop(request: APIRequestContext, id: string) {
  await post(request, `/api/evacuations/${id}/stop`, { cancel: true });
  await expect.poll(async () => (await evacuation(request, id)).state).toBe('stopped');
}

/** Stops what `prepare` has left running. */
export async function clearUp(request: APIRequestContext, { evacuations }: Subject) {
  await stop(request, evacuations.running);
}
