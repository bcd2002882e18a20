// What a program written with jsforce does with an org: every area its users rely on, in plain calls.
// Reads the org from the environment variable DEMO_ORG (the ready line) and prints one JSON line per check.
// Run from a folder whose node_modules has jsforce; run.py does.
const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const jsforce = createRequire(process.cwd() + '/')('jsforce');

const org = JSON.parse(process.env.DEMO_ORG);
const version = '60.0';
const callback = 'http://localhost:1717/OauthRedirect';
const conn = new jsforce.Connection({ instanceUrl: org.url, accessToken: org.access_token, version });
const app = { loginUrl: org.url, clientId: org.client_id, clientSecret: org.client_secret, redirectUri: callback };

async function check(area, name, body) {
  let message = '';
  try {
    await body();
  } catch (error) {
    message = `${error.name}: ${error.message}` || 'failed';
  }
  console.log(JSON.stringify({ area, name, message }));
}

async function works(connection) {
  assert.equal((await connection.query('SELECT Id FROM Organization')).records[0].Id, org.org_id);
}

function base64url(value) {
  return Buffer.from(value).toString('base64url');
}

async function records() {
  await check('query', 'query and queryMore', async () => {
    let page = await conn.query('SELECT Id FROM BigTable__c');
    const ids = page.records.map((each) => each.Id);
    while (!page.done) {
      page = await conn.queryMore(page.nextRecordsUrl);
      ids.push(...page.records.map((each) => each.Id));
    }
    assert.equal(new Set(ids).size, page.totalSize);
    assert.ok(ids.length > 4000);
  });
  await check('query', 'sub-query, parent, aggregate, count', async () => {
    const found = await conn.sobject('Account').select('Name, Owner.Name').limit(3).include('Contacts').end().execute();
    assert.ok(found.length === 3 && found[0].Owner.Name);
    assert.equal(await conn.sobject('Contact').count({}), 60);
    const sums = await conn.query('SELECT SUM(Amount) total FROM Opportunity');
    assert.equal(sums.records[0].total, 780);
  });
  let id;
  await check('records', 'create, retrieve, update, delete', async () => {
    id = (await conn.sobject('Account').create({ Name: 'By jsforce' })).id;
    await conn.sobject('Account').update({ Id: id, Phone: '5' });
    assert.equal((await conn.sobject('Account').retrieve(id)).Phone, '5');
    assert.ok((await conn.sobject('Account').destroy(id)).success);
    await assert.rejects(conn.sobject('Account').retrieve(id));
  });
  await check('records', 'collections: create, retrieve, update, delete', async () => {
    const made = await conn.sobject('Lead').create([1, 2, 3].map((n) => ({ LastName: `L${n}`, Company: 'C' })));
    assert.ok(made.every((each) => each.success));
    const ids = made.map((each) => each.id);
    await conn.sobject('Lead').update(ids.map((Id) => ({ Id, Title: 'T' })));
    const read = await conn.sobject('Lead').retrieve(ids);
    assert.deepEqual(read.map((each) => each.Title), ['T', 'T', 'T']);
    assert.ok((await conn.sobject('Lead').destroy(ids)).every((each) => each.success));
  });
  await check('records', 'upsert by external id', async () => {
    const table = conn.sobject('UpsertTable__c');
    assert.equal((await table.upsert({ ExtId__c: 'J1', Name: 'one' }, 'ExtId__c')).created, true);
    assert.notEqual((await table.upsert({ ExtId__c: 'J1', Name: 'two' }, 'ExtId__c')).created, true);
    assert.equal((await table.findOne({ ExtId__c: 'J1' })).Name, 'two');
  });
  await check('records', 'errors carry their code', async () => {
    await assert.rejects(conn.query('SELECT Bacon__c FROM Account'), { errorCode: 'INVALID_FIELD' });
    await assert.rejects(conn.sobject('Account').create({}), { errorCode: 'REQUIRED_FIELD_MISSING' });
  });
  await check('records', 'updated and deleted', async () => {
    const now = Date.now();
    const [start, end] = [new Date(now - 3600e3).toISOString(), new Date(now + 60e3).toISOString()];
    const gone = (await conn.sobject('Account').deleted(start, end)).deletedRecords;
    assert.ok(gone.some((each) => each.id === id));
    assert.ok(Array.isArray((await conn.sobject('Account').updated(start, end)).ids));
  });
}

async function metadata() {
  await check('describe', 'describe and describeGlobal', async () => {
    const field = (await conn.sobject('UpsertTable__c').describe()).fields.find((each) => each.name === 'ExtId__c');
    assert.equal(field.externalId, true);
    assert.ok((await conn.describeGlobal()).sobjects.some((each) => each.name === 'BigTable__c'));
  });
  await check('describe', 'limits and the limit header', async () => {
    assert.ok((await conn.limits()).DailyApiRequests.Max > 0);
    assert.ok(conn.limitInfo.apiUsage.used > 0);
  });
  await check('describe', 'identity', async () => {
    assert.equal((await conn.identity()).organization_id, org.org_id);
  });
  await check('list views', 'listviews, describe, results', async () => {
    const account = conn.sobject('Account');
    const view = (await account.listviews()).listviews.find((each) => each.developerName === 'AllAccounts');
    assert.match((await account.listview(view.id).describe()).query, /FROM Account/);
    assert.ok((await account.listview(view.id).results()).records.length > 20);
  });
}

async function bulk() {
  conn.bulk2.pollTimeout = 60000;
  conn.bulk2.pollInterval = 200;
  await check('Bulk 2.0', 'query', async () => {
    const rows = await (await conn.bulk2.query('SELECT Id, Name FROM BigTable__c')).toArray();
    assert.equal(new Set(rows.map((row) => row.Id)).size, 5300);
  });
  await check('Bulk 2.0', 'ingest: insert with a row that fails, then delete', async () => {
    const input = [{ Name: 'Bulk one', Phone: '1' }, { Name: '', Phone: '2' }, { Name: 'Bulk two', Phone: '3' }];
    const done = await conn.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'insert', input });
    assert.equal(done.successfulResults.length, 2);
    assert.match(done.failedResults[0].sf__Error, /REQUIRED_FIELD_MISSING/);
    const gone = done.successfulResults.map((row) => ({ Id: row.sf__Id }));
    const deleted = await conn.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'delete', input: gone });
    assert.equal(deleted.successfulResults.length, 2);
  });
  await check('Bulk 2.0', 'ingest: upsert by external id', async () => {
    const input = [1, 2, 3].map((n) => ({ ExtId__c: `B${n}`, Name: `n${n}` }));
    const options = { object: 'UpsertTable__c', operation: 'upsert', externalIdFieldName: 'ExtId__c', input };
    const first = await conn.bulk2.loadAndWaitForResults(options);
    assert.deepEqual(first.successfulResults.map((row) => row.sf__Created), ['true', 'true', 'true']);
    const second = await conn.bulk2.loadAndWaitForResults(options);
    assert.deepEqual(second.successfulResults.map((row) => row.sf__Created), ['false', 'false', 'false']);
  });
}

async function reports() {
  await check('reports', 'list, describe, run, run with a filter, run in the background', async () => {
    const { id } = (await conn.analytics.reports()).find((each) => each.name === 'Lead List Report');
    const report = conn.analytics.report(id);
    assert.equal((await report.describe()).reportMetadata.reportFormat, 'SUMMARY');
    const all = await report.execute({ details: true });
    assert.equal(all.factMap['T!T'].aggregates.at(-1).value, 30);
    const filter = { column: 'COMPANY', operator: 'equals', value: 'Company 1, Inc.' };
    const metadata = { reportMetadata: { reportFilters: [filter] } };
    const some = await report.execute({ details: true, metadata });
    assert.ok(some.factMap['T!T'].aggregates.at(-1).value < 30);
    const instance = await report.executeAsync();
    let result = await report.instance(instance.id).retrieve();
    for (let tries = 0; tries < 50 && result.attributes.status !== 'Success'; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      result = await report.instance(instance.id).retrieve();
    }
    assert.equal(result.attributes.status, 'Success');
  });
}

async function code(oauth2) {
  // A person signs in and allows: the page's form, sent as a browser sends it.
  const url = new URL(oauth2.getAuthorizationUrl({ scope: 'api refresh_token', state: 'here' }));
  const form = new URLSearchParams([...url.searchParams, ['username', org.username], ['decision', 'allow']]);
  const answer = await fetch(url.origin + url.pathname, { method: 'POST', body: form, redirect: 'manual' });
  const back = new URL(answer.headers.get('location') ?? 'http://nowhere');
  assert.equal(back.searchParams.get('state'), 'here', await answer.text());
  return back.searchParams.get('code');
}

async function oauth() {
  let refreshToken;
  await check('OAuth', 'authorization code with PKCE', async () => {
    const oauth2 = new jsforce.OAuth2({ ...app, useVerifier: true });
    const connection = new jsforce.Connection({ oauth2, version });
    await connection.authorize(await code(oauth2));
    refreshToken = connection.refreshToken;
    assert.ok(refreshToken);
    await works(connection);
  });
  await check('OAuth', 'an expired token is refreshed and the call repeated', async () => {
    const stale = { instanceUrl: org.url, accessToken: '00D000000000000!stale', refreshToken, oauth2: app, version };
    const connection = new jsforce.Connection(stale);
    let refreshed = 0;
    connection.on('refresh', () => { refreshed += 1; });
    await works(connection);
    assert.equal(refreshed, 1);
  });
  await check('OAuth', 'client credentials', async () => {
    const connection = new jsforce.Connection({ instanceUrl: org.url, oauth2: app, version });
    await connection.authorize({ grant_type: 'client_credentials' });
    await works(connection);
  });
  await check('OAuth', 'JWT bearer', async () => {
    const claims = { iss: org.client_id, sub: org.username, aud: org.url, exp: Math.floor(Date.now() / 1000) + 120 };
    const head = `${base64url('{"alg":"RS256"}')}.${base64url(JSON.stringify(claims))}`;
    const key = fs.readFileSync(org.private_key_file);
    const assertion = `${head}.${crypto.sign('RSA-SHA256', Buffer.from(head), key).toString('base64url')}`;
    const connection = new jsforce.Connection({ oauth2: app, version });
    await connection.authorize({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
    await works(connection);
  });
  await check('OAuth', 'SOAP login and logout', async () => {
    const connection = new jsforce.Connection({ loginUrl: org.url, version });
    await connection.login(org.username, org.password + org.security_token);
    await works(connection);
    const again = new jsforce.Connection({ instanceUrl: org.url, accessToken: connection.accessToken, version });
    await connection.logout();
    await assert.rejects(works(again), { errorCode: 'INVALID_SESSION_ID' });
  });
  await check('OAuth', 'revoke', async () => {
    const oauth2 = new jsforce.OAuth2(app);
    const token = (await oauth2.refreshToken(refreshToken)).access_token;
    await oauth2.revokeToken(token);
    const connection = new jsforce.Connection({ instanceUrl: org.url, accessToken: token, version });
    await assert.rejects(works(connection), { errorCode: 'INVALID_SESSION_ID' });
  });
}

(async () => {
  for (const part of [records, metadata, bulk, reports, oauth]) await part();
  process.exit(0);
})();
