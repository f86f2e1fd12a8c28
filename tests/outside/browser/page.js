// What a portal's page does: it signs a family up, shows its place in line as it moves, and cancels.
//
// A page never holds an access key: whatever it holds, its visitor holds too. Where the service asks for keys, the portal's
// own server signs up and gives the page the family's management token, which reaches this one registration. Before the
// first key is made, for trying out on one machine, the page may sign up by itself.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { RegistrationService, RegistrationState } from "eile/v1/registrations_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "google/rpc/error_details_pb.js";

const settings = JSON.parse(document.getElementById("settings").textContent);
const there = (id) => document.getElementById(id);

// A page on the web vouches for nobody, whatever the service would believe.
const lowered = (next) => (request) => {
  request.header.set("eile-vouches", "no");
  return next(request);
};
const transport = createGrpcWebTransport({ baseUrl: settings.service, interceptors: [lowered] });
const registrations = createClient(RegistrationService, transport);

// Whose place is shown: the name of the registration, and the token that lets the family in.
let mine;
// Made before the first try and kept until there is an answer, so that trying again signs nobody up twice.
let requestId;

const signUp = {
  async byPortal(name, email) {
    const body = JSON.stringify({ requestId, name, email });
    const answer = await fetch("/sign-up", { method: "POST", headers: { "content-type": "application/json" }, body });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  },
  async byItself(name, email) {
    const registration = { contact: { displayName: name, email }, members: [{}] };
    const answer = await registrations.createRegistration({ parent: settings.event, registration, requestId });
    return { name: answer.registration.name, managementToken: answer.managementToken };
  },
};

function show(registration) {
  there("mine").hidden = false;
  there("state").textContent = RegistrationState[registration.state];
  there("position").textContent = String(registration.position);
}

// A no of the service has a reason and facts to it; of a network that fails nothing is known.
function refuse(error) {
  const no = ConnectError.from(error);
  const [info] = no.findDetails(ErrorInfoSchema);
  const [bad] = no.findDetails(BadRequestSchema);
  there("refusal").hidden = false;
  there("reason").textContent = info ? info.reason : "not known";
  there("code").textContent = Code[no.code];
  there("words").textContent = no.rawMessage;
  there("facts").textContent = JSON.stringify(info ? info.metadata : {});
  there("fields").textContent = bad ? bad.fieldViolations.map((violation) => violation.field).join(" ") : "";
}

// Whether to ask again: errors.proto says so of UNAVAILABLE and of a watch that was too slow, and a network says nothing.
function isWorthAnotherTry(no) {
  return [Code.Unavailable, Code.Aborted].includes(no.code) || no.findDetails(ErrorInfoSchema).length === 0;
}

// Follows the place until the registration ends. The first message is always how things stand, so that nothing is missed.
async function follow() {
  for (;;) {
    try {
      for await (const message of registrations.watchRegistration(mine)) {
        if (message.registration) show(message.registration);
      }
      return;
    } catch (error) {
      if (!isWorthAnotherTry(ConnectError.from(error))) return refuse(error);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function attempt(button, work) {
  button.disabled = true;
  there("refusal").hidden = true;
  try {
    await work();
  } catch (error) {
    refuse(error);
  }
  button.disabled = false;
}

there("form").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  attempt(there("sign-up"), async () => {
    requestId ??= crypto.randomUUID();
    mine = await signUp[settings.signUp](there("name").value, there("email").value);
    requestId = undefined;
    follow();
  });
});

there("cancel").addEventListener("click", () =>
  attempt(there("cancel"), async () => {
    const answer = await registrations.cancelRegistration({ ...mine, requestId: crypto.randomUUID() });
    show(answer.registration);
  }),
);

document.body.dataset.ready = "yes";
