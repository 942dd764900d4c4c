// Runs scenarios through another interpreter of the Amazon States Language and checks definitions with a validator.
// Argument: the folder that both are installed in. Input: JSON {scenarios: [{definition, input, tasks}], definitions};
// output: {scenarios: [{output | error and cause, states, calls}], definitions: [problems]}, in the same order.
import { createRequire } from 'node:module';
import path from 'node:path';

// The interpreter uses this function of Node 22.
Promise.withResolvers ??= function () {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const require = createRequire(path.join(process.argv[2], 'package.json'));
const { StateMachine } = require('aws-local-stepfunctions');
const loaded = require('asl-validator');
const validate = loaded.default ?? loaded;

function* statesOf(flow) {
  for (const [name, state] of Object.entries(flow.States)) {
    yield [name, state];
    if (state.ItemProcessor) yield* statesOf(state.ItemProcessor);
  }
}

// The interpreter does not know which state it is in, so that a task's parameters get its name as a literal.
function withName(template, name) {
  if (Array.isArray(template)) return template.map((element) => withName(element, name));
  if (template === null || typeof template !== 'object') return template;
  return Object.fromEntries(Object.entries(template).map(([member, value]) => {
    const named = member.endsWith('.$') && value === '$$.State.Name';
    return named ? [member.slice(0, -2), name] : [member, withName(value, name)];
  }));
}

async function run({ definition, input, tasks }) {
  const result = { states: [], calls: [] };
  const overrides = { taskResourceLocalHandlers: {}, waitTimeOverrides: {}, retryIntervalOverrides: {} };
  for (const [name, state] of statesOf(definition)) {
    if (state.Retry) overrides.retryIntervalOverrides[name] = 0;
    if (state.Type === 'Wait') overrides.waitTimeOverrides[name] = 0;
    if (state.Type !== 'Task') continue;
    state.Parameters = withName(state.Parameters, name);
    const answers = [...(tasks?.[name] ?? [])];
    overrides.taskResourceLocalHandlers[name] = async (input) => {
      result.calls.push({ state: name, payload: input.Payload });
      const answer = answers.shift();
      if (!answer) throw new Error('attempted more often than the scenario knows');
      if (answer.timeout || answer.error) {
        const failure = new Error(answer.cause ?? '');
        failure.name = answer.timeout ? 'States.Timeout' : answer.error;
        throw failure;
      }
      if (state.Resource.endsWith('.waitForTaskToken')) return answer.output;
      const { 'round.$': told, ...output } = answer.output ?? {};
      if (told) answer.output = { ...output, round: input.Payload.task.round };
      return { ExecutedVersion: '$LATEST', Payload: answer.output ?? null, StatusCode: 200 };
    };
  }
  const context = {
    Execution: { Name: 'execution' },
    State: { Name: 'state' },
    Task: { Token: 'token' },
  };
  const machine = new StateMachine(definition, { validationOptions: { noValidate: true } });
  const execution = machine.run(input, { overrides, context });
  const events = (async () => {
    for await (const event of execution.eventLogs) {
      if (event.type === 'StateEntered') result.states.push(event.state.name);
    }
  })();
  try {
    result.output = await execution.result;
  } catch (failure) {
    result.error = failure.cause?.name ?? failure.name;
    result.cause = failure.cause?.message ?? failure.message;
  }
  await events;
  return result;
}

// An iteration that fails rejects a promise that the interpreter never looks at.
process.on('unhandledRejection', () => {});

let text = '';
for await (const chunk of process.stdin) text += chunk;
const { scenarios, definitions } = JSON.parse(text);
const results = { scenarios: [], definitions: [] };
for (const scenario of scenarios) results.scenarios.push(await run(scenario));
for (const definition of definitions) {
  const { isValid, errors } = validate(definition);
  results.definitions.push(isValid ? '' : JSON.stringify(errors));
}
process.stdout.write(JSON.stringify(results), () => process.exit(0));
