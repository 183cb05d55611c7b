import { chromium } from '@playwright/test';
const base='http://127.0.0.1:18085', out='/tmp/pages/shots';
const b=await chromium.launch({executablePath:'/usr/bin/chromium'});
const ctxs={};
for (const [n,o] of Object.entries({ 'desk-light':{viewport:{width:1280,height:900},colorScheme:'light'}, 'desk-dark':{viewport:{width:1280,height:900},colorScheme:'dark'}, 'phone-light':{viewport:{width:390,height:844},deviceScaleFactor:2,isMobile:true,hasTouch:true,colorScheme:'light'}, 'phone-dark':{viewport:{width:390,height:844},deviceScaleFactor:2,isMobile:true,hasTouch:true,colorScheme:'dark'} })) {
  const c=await b.newContext(o); const p=await c.newPage(); p.setDefaultTimeout(30000);
  p.on('console',m=>{ if(['error','warning'].includes(m.type())) console.log(n,m.text()) }); p.on('pageerror',e=>console.log(n,'pageerror',String(e)));
  await p.goto(base+'/'); await p.getByLabel('User name').fill('admin'); await p.getByLabel('Password').fill('shots-for-pages-1'); await p.getByRole('button',{name:'Log in'}).click(); await p.locator('.badge',{hasText:'live'}).waitFor();
  ctxs[n]=p;
}
const all=async(name,f)=>{ for(const [n,p] of Object.entries(ctxs)){ try{ await f(p,n); await p.screenshot({path:`${out}/${name}-${n}.png`,fullPage:true}); }catch(e){console.log(name,n,String(e).slice(0,400)); await p.screenshot({path:`${out}/${name}-${n}-ERR.png`,fullPage:true});} } };
const p=ctxs['desk-light'];
const start=async(vm,to,policy)=>{ await p.goto(base+'/'); await p.locator('.badge',{hasText:'live'}).waitFor(); await p.locator(`[data-vm="${vm}"]`).getByRole('link',{name:'Migrate'}).click(); const d=p.getByRole('dialog'); await d.getByRole('radio',{name:to}).check(); if(policy) await d.getByRole('radio',{name:policy}).check(); await d.getByRole('button',{name:'Start migration'}).click(); await p.waitForURL(/migrations\/[0-9a-f-]{36}$/); return p.url(); };
const mode=process.argv[2];
if(mode==='seed'){ for (const [vm,to] of [['db','beta'],['db','alpha'],['db','beta'],['db','alpha']]) { await start(vm,to); await p.locator('.result').waitFor({timeout:120000}); } }
if(mode==='window'||mode==='all'){ await all('window',async(q)=>{ await q.goto(base+'/'); await q.locator('.badge',{hasText:'live'}).waitFor(); await q.locator('[data-vm="cache"]').getByRole('link',{name:'Migrate'}).click(); const d=q.getByRole('dialog'); await d.getByRole('radio',{name:'beta'}).check(); await d.getByRole('radio',{name:'Gentle'}).check(); await d.getByText('Limits of the policy').click(); await q.waitForTimeout(12000); await d.evaluate(e=>{e.style.maxHeight='none';e.style.position='absolute'}); }); }
if(mode==='run'||mode==='all'){ const url=await start('cache','beta','Gentle'); await p.locator('.next-act').waitFor({timeout:60000}); await p.waitForTimeout(8000);
 await p.getByLabel('Longest pause, ms').fill('320'); await p.locator('.steering[data-act="longest-pause"]').getByRole('button').click(); await p.waitForTimeout(2500);
 await all('run',async q=>{ if(q!==p) await q.goto(url); await q.locator('.badge',{hasText:'live'}).waitFor(); await q.waitForTimeout(1500); });
 await all('steer',async q=>{ await q.goto(url+'/steer'); await q.locator('.badge',{hasText:'live'}).waitFor(); await q.waitForTimeout(500); });
 await all('question',async q=>{ await q.getByRole('button',{name:'Pause the guest and finish'}).click(); await q.waitForTimeout(700); });
 await p.goto(url); await p.getByRole('button',{name:'Pause the guest and finish'}).click(); await p.getByRole('dialog').getByRole('button',{name:'Pause the guest and finish'}).click(); await p.locator('.result').waitFor({timeout:60000});
 await all('ended',async q=>{ if(q!==p) await q.goto(url); await q.waitForTimeout(700); await q.getByText('As a table').click(); });
 const back=await start('cache','alpha'); 
 await all('start',async q=>{ if(q!==p) await q.goto(back); await q.waitForTimeout(200); });
 await p.goto(back); await p.locator('.result').waitFor({timeout:120000}); }
if(mode==='pred'||mode==='all') await all('pred',async q=>{ await q.goto(base+'/predictions'); await q.waitForTimeout(300); });
await b.close();
