import config from './playwright.config';

/** Tests and measurements of a console over simulated hosts, which they start themselves. */
export default { ...config, testDir: 'fleet', webServer: undefined, projects: config.projects?.slice(0, 1) };
