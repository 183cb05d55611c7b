import type { APIRequestContext } from '@playwright/test';

/** A page, under a name that is fit for a file. */
export type Place = { name: string; path: string };

/** What the pages are about: a VM, a host, what was found out of chosen VMs, and what of each kind runs and what has ended. */
export type Subject = {
  vm: string;
  host: string;
  selection: string;
  plan: string;
  migrations: { running: string; ended: string };
  evacuations: { running: string; ended: string };
};

/** The UUID of a VM. */
export async function idOf(request: APIRequestContext, vm: string): Promise<string> {
  return (await (await request.get(`/plugins/kimchi/vms/${vm}`)).json()).uuid;
}

/** Starts a migration through the API; returns its number. */
export async function start(request: APIRequestContext, vm: string, destination: string, policy: string): Promise<string> {
  const asked = await request.post(`/plugins/kimchi/vms/${vm}/migrate`, { data: { destination, policy } });
  const answer = await asked.json();
  if (!asked.ok()) throw new Error(answer.reason);
  return answer.id;
}

/** Every page of a user who is logged in, by its address. */
export function pagesOf({ vm, host, selection, plan, migrations, evacuations }: Subject): Place[] {
  return [
    { name: 'vms', path: '/' },
    { name: 'vms-none', path: '/?q=nothing' },
    { name: 'vm', path: `/vms/${vm}` },
    { name: 'vm-migrate', path: `/vms/${vm}/migrate` },
    { name: 'vm-shut-down', path: `/vms/${vm}/shut-down` },
    { name: 'vm-elsewhere', path: `/vms/${vm}/elsewhere` },
    { name: 'vm-xml', path: `/vms/${vm}/xml` },
    { name: 'vm-console', path: `/vms/${vm}/console` },
    { name: 'vm-screen', path: `/vms/${vm}/screen` },
    { name: 'selection', path: `/selection/${selection}` },
    { name: 'migrations', path: '/migrations' },
    { name: 'migration-running', path: `/migrations/${migrations.running}` },
    { name: 'migration-steer', path: `/migrations/${migrations.running}/steer` },
    { name: 'migration-cancel', path: `/migrations/${migrations.running}/cancel` },
    { name: 'migration-ended', path: `/migrations/${migrations.ended}` },
    { name: 'predictions', path: '/predictions' },
    { name: 'hosts', path: '/hosts' },
    { name: 'host', path: `/hosts/${host}` },
    { name: 'host-add', path: '/hosts/add' },
    { name: 'host-edit', path: `/hosts/${host}/edit` },
    { name: 'host-test', path: `/hosts/${host}/test` },
    { name: 'host-remove', path: `/hosts/${host}/remove` },
    { name: 'host-login', path: `/hosts/${host}/login` },
    { name: 'host-key', path: `/hosts/${host}/key` },
    { name: 'host-empty', path: `/hosts/${host}/empty` },
    { name: 'plan', path: `/plans/${plan}` },
    { name: 'placement', path: '/placement' },
    { name: 'evacuations', path: '/evacuations' },
    { name: 'evacuation-running', path: `/evacuations/${evacuations.running}` },
    { name: 'evacuation-stop', path: `/evacuations/${evacuations.running}/stop` },
    { name: 'evacuation-ended', path: `/evacuations/${evacuations.ended}` },
    { name: 'account', path: '/account' },
    { name: 'help', path: '/help' },
    { name: 'help-document', path: '/help/policies' },
    { name: 'not-found', path: '/nowhere' },
  ];
}
