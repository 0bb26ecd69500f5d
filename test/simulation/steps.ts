import { outcomes } from '../fault/simulatedStorage.ts'
import type { Random } from '../support/random.ts'
import type { Answer } from './client.ts'
import { drawFault } from './faults.ts'
import { type Damage, damaged, damages, images, type SimulatedImage, validity } from './images.ts'
import { Violation } from './machine.ts'
import { type Change, drawChange, type Settings } from './model.ts'
import type { Sending, Simulation } from './simulation.ts'

type Step = (simulation: Simulation) => Promise<void>

/** A backup that somebody keeps. */
interface Kept {
  readonly bytes: Buffer
  readonly settings: Settings
}

const statusOf = (answer: Answer | undefined): string => (answer === undefined ? 'died' : `${answer.status} ${answer.reason}`.trim())

/** The settings as the device would export them: what was refused has not touched them. */
const exported = ({ life }: Simulation): string => JSON.stringify(life.store.exportDocuments())

/** What an answer, or its absence, says about the settings. */
function conclude(simulation: Simulation, change: Omit<Change, 'body'>, answer: Answer | undefined, before: string): void {
  const { name, next, refused } = change
  simulation.note(`  ${name}: ${statusOf(answer)}`)
  if (answer === undefined) {
    if (!refused) simulation.possible = [...simulation.possible, next]
    return
  }
  if (answer.status === 200) {
    if (refused) throw new Violation(`${name} was taken`)
    simulation.possible = [next]
    return
  }
  if (!refused && !simulation.machine.nemesis.hasStruck) throw new Violation(`${name} was refused: ${answer.reason} ${answer.text}`)
  if (exported(simulation) !== before) throw new Violation(`${name} was refused, and has changed something`)
}

const change: Step = async simulation => {
  const wanted = drawChange(simulation.random, simulation.settings)
  const before = exported(simulation)
  conclude(simulation, wanted, await simulation.ask(wanted.body), before)
}

/** Two requests that are under way at the same time, about different things. */
const pair: Step = async simulation => {
  const { settings, random } = simulation
  const [one, other] = [drawChange(random, settings), drawChange(random, settings)]
  const isUntouched = (key: keyof Settings) => one.next[key] === settings[key] || other.next[key] === settings[key]
  if (!isUntouched('users') || !isUntouched('hostname') || !isUntouched('scopes') || !isUntouched('passphrases')) return change(simulation)
  const credentials = [await simulation.credentials(), await simulation.credentials()]
  // The log-in of the second must not depend on what the first one does.
  const [first, second] = one.next.users === settings.users ? [one, other] : [other, one]
  const answers = await Promise.all([simulation.ask(first.body, credentials[0]), simulation.ask(second.body, credentials[1])])
  simulation.note(`  ${first.name}: ${statusOf(answers[0])}, and ${second.name}: ${statusOf(answers[1])}`)
  const both = merged(settings, first.next, second.next)
  const alone = [settings, first.next, second.next, both]
  const may = ({ refused }: Change, answer: Answer | undefined) =>
    answer === undefined ? (refused ? [false] : [false, true]) : [answer.status === 200]
  for (const [index, { name, refused }] of [first, second].entries()) {
    const answer = answers[index]
    // By a token that may be one of those that a power cut took.
    if (answer?.reason === 'Sender/NotAuthorized' && credentials.some(each => simulation.logins.isExcused(each))) continue
    if (answer && (answer.status === 200) === refused && !(simulation.machine.nemesis.hasStruck && !refused))
      throw new Violation(`${name}: ${statusOf(answer)}`)
  }
  simulation.possible = may(first, answers[0]).flatMap(a => may(second, answers[1]).flatMap(b => alone[(a ? 1 : 0) + (b ? 2 : 0)] ?? []))
}

const merged = (settings: Settings, one: Settings, other: Settings): Settings => ({
  users: one.users === settings.users ? other.users : one.users,
  hostname: one.hostname === settings.hostname ? other.hostname : one.hostname,
  scopes: one.scopes === settings.scopes ? other.scopes : one.scopes,
  passphrases: one.passphrases === settings.passphrases ? other.passphrases : one.passphrases,
})

const backups = new WeakMap<Simulation, Kept[]>()

const backUp: Step = async simulation => {
  const made = await simulation.outcome(simulation.life.backup.make())
  simulation.note('  backup')
  if (made) backups.set(simulation, [...(backups.get(simulation) ?? []), { bytes: made.value, settings: simulation.settings }])
}

const restore: Step = async simulation => {
  const { random } = simulation
  const all = backups.get(simulation) ?? []
  const kept = all[random.whole(0, all.length - 1)]
  if (kept === undefined) return backUp(simulation)
  const ticket = await ticketOf(simulation, 'StartSystemRestore')
  if (ticket === undefined) return
  const damage = random.pick(['none', 'none', 'none', 'flipped', 'cut'] as const)
  const bytes = Buffer.from(damage === 'cut' ? kept.bytes.subarray(0, random.whole(1, kept.bytes.length - 1)) : kept.bytes)
  const at = random.whole(0, bytes.length - 1)
  if (damage === 'flipped') bytes.writeUInt8(bytes.readUInt8(at) ^ 0x20, at)
  const sending = drawSending(simulation, bytes.length)
  const before = exported(simulation)
  const answer = await simulation.upload(simulation.life.restore.upload, ticket, bytes, sending)
  const refused = damage !== 'none' || sending.hangsUpAt !== undefined
  const name = `restore, ${damage}${describe(sending)}`
  // What another client did meanwhile is undone by it, or, where it is refused, is what there is.
  if (answer?.status === 200 || answer === undefined || !sending.between)
    conclude(simulation, { name, next: kept.settings, refused }, answer, before)
  else simulation.note(`  ${name}: ${statusOf(answer)}`)
  if (answer) await simulation.act(answer)
}

/** The last segment of the address that the operation hands out. */
async function ticketOf(simulation: Simulation, operation: 'StartSystemRestore' | 'StartFirmwareUpgrade'): Promise<string | undefined> {
  const answer = await simulation.ask(`<tds:${operation}/>`)
  const ticket = /<tds:UploadUri>[^<]*\/([A-Za-z0-9_-]+)</.exec(answer?.text ?? '')?.[1]
  if (answer && ticket === undefined && !simulation.machine.nemesis.hasStruck)
    throw new Violation(`${operation}: ${statusOf(answer)} ${answer.text}`)
  return ticket
}

function drawSending(simulation: Simulation, bytes: number): Sending {
  const { random } = simulation
  const pieceBytes = random.pick([500, 1_500, 4_000, 16_384])
  const breaks = random.fraction() < 0.2
  const act = random.pick([change, change, jump, nothingMore] as const)
  return {
    pieceBytes,
    hangsUpAt: breaks ? random.whole(0, bytes - 1) : undefined,
    isSilent: breaks && random.fraction() < 0.3,
    between: random.fraction() < 0.3 ? { piece: random.whole(0, Math.floor(bytes / pieceBytes)), act: () => act(simulation) } : undefined,
  }
}

/** As another client finds it while an image is on its way. */
const nothingMore: Step = async simulation => {
  const answer = await simulation.ask('<tds:StartFirmwareUpgrade/>')
  simulation.note(`  meanwhile StartFirmwareUpgrade: ${statusOf(answer)}`)
}

const describe = ({ pieceBytes, hangsUpAt, isSilent, between, from }: Sending): string =>
  [
    `, pieces of ${pieceBytes}`,
    from === undefined ? '' : `, from ${from}`,
    between ? `, another client at piece ${between.piece}` : '',
    hangsUpAt === undefined ? '' : `, ${isSilent ? 'silent' : 'hangs up'} at ${hangsUpAt}`,
  ].join('')

const upgrade: Step = async simulation => {
  const { random, life } = simulation
  const ticket = await ticketOf(simulation, 'StartFirmwareUpgrade')
  if (ticket === undefined) return
  const image = drawImage(simulation)
  const damage: Damage = random.fraction() < 0.25 ? random.pick(damages) : 'none'
  const bytes = damaged(image, damage)
  let sending = drawSending(simulation, bytes.length)
  const kept = simulation.possible
  const pending = { image, kept, isAcknowledged: false }
  simulation.pending = pending
  let answer: Answer | undefined
  let isDisturbed = false
  for (;;) {
    isDisturbed ||= sending.between !== undefined
    answer = await simulation.upload(life.firmware.upload, ticket, bytes, sending)
    const now = life.now().getTime()
    simulation.note(`  upgrade to ${image.version} ${image.nature}, ${damage}${describe(sending)}: ${statusOf(answer)}`)
    if (answer?.status !== 400 || sending.hangsUpAt === undefined || random.fraction() < 0.4) {
      // Where the clock jumped meanwhile, nobody knows by which time it was judged.
      const isTimely = isDisturbed || (now > validity.notBefore.getTime() && now < validity.notAfter.getTime())
      judge(simulation, { image, damage, sending, isDisturbed, isTimely }, answer)
      break
    }
    sending = { pieceBytes: sending.pieceBytes, from: life.firmware.upload.offset(ticket) }
  }
  if (answer && answer.status !== 200 && !simulation.machine.nemesis.hasStruck) simulation.pending = undefined
  if (answer?.status !== 200) return
  simulation.pending = { ...pending, kept: [...kept, ...simulation.possible], isAcknowledged: true }
  if (random.fraction() < 0.9) return simulation.act(answer)
  const outcome = random.pick(outcomes)
  simulation.note(`  power cut, ${outcome}`)
  simulation.die(outcome, 'power cut')
}

/** Mostly the next version. */
function drawImage({ random, confirmed }: Simulation): SimulatedImage {
  const later = images.filter(({ version }) => version > confirmed.image.version)
  const from = random.fraction() < 0.75 && later.length > 0 ? later.slice(0, 6) : images
  const [first, ...rest] = from
  return first ? random.pick([first, ...rest]) : random.pick([confirmed.image])
}

interface Sent {
  readonly image: SimulatedImage
  readonly damage: Damage
  readonly sending: Sending
  /** By another client, in this part of it or in an earlier one. */
  readonly isDisturbed: boolean
  /** By the clock of the device its certificates hold. */
  readonly isTimely: boolean
}

function judge(
  { confirmed, machine }: Simulation,
  { image, damage, sending, isDisturbed, isTimely }: Sent,
  answer: Answer | undefined,
): void {
  if (answer === undefined) return
  const isOld = image.version < confirmed.image.version || image.epoch < confirmed.epoch
  const refused = damage !== 'none' || isOld || !isTimely
  if (answer.status === 200 && (refused || sending.hangsUpAt !== undefined))
    throw new Violation(`a ${damage} image of ${image.version} was taken`)
  if (answer.status === 200 || machine.nemesis.hasStruck || isDisturbed) return
  if (!refused && sending.hangsUpAt === undefined) throw new Violation(`a good image was refused: ${statusOf(answer)} ${answer.text}`)
  if (answer.status === 415 && !refused) throw new Violation(`a good image was refused: ${answer.text}`)
}

/** What the operation orders, happens when its answer has left, if nothing comes in between. */
async function ordered(simulation: Simulation, name: string, body: string, next: Settings): Promise<void> {
  const before = exported(simulation)
  const answer = await simulation.ask(body)
  conclude(simulation, { name, next, refused: false }, answer, before)
  if (answer?.status !== 200) return
  if (simulation.random.fraction() < 0.8) return simulation.act(answer)
  simulation.note('  power cut, lost')
  simulation.die('lost', 'power cut')
}

const reboot: Step = simulation => ordered(simulation, 'SystemReboot', '<tds:SystemReboot/>', simulation.settings)

const factoryDefault: Step = simulation => {
  const { settings, factorySettings, random } = simulation
  if (factorySettings === undefined) throw new Violation('nobody knows what the factory set')
  const isHard = random.fraction() < 0.5
  // What is kept softly: who logs in, and how the device is reached.
  const next = isHard ? factorySettings : { ...settings, scopes: factorySettings.scopes }
  const type = isHard ? 'Hard' : 'Soft'
  return ordered(
    simulation,
    `SetSystemFactoryDefault ${type}`,
    `<tds:SetSystemFactoryDefault><tds:FactoryDefault>${type}</tds:FactoryDefault></tds:SetSystemFactoryDefault>`,
    next,
  )
}

const yearMs = 365.25 * 86_400_000

/** The battery-backed clock shows something else, as it does when its battery is empty, or when somebody mends it. */
const jump: Step = async simulation => {
  const {
    random,
    machine: { time },
  } = simulation
  const spans = [60_000, 3_600_000, 30 * 86_400_000, yearMs, 5 * yearMs, 20 * yearMs] as const
  // Half of them lead back to where it would be without any.
  const to =
    random.fraction() < 0.5 ? time.trueMs : time.utcMs + random.pick(spans) * (random.fraction() < 0.5 ? -1 : 1) * random.fraction()
  time.utcMs = Math.round(Math.min(Math.max(to, Date.UTC(1971, 0)), Date.UTC(2150, 0)))
  simulation.note(`  the clock jumps to ${new Date(time.utcMs).toISOString()}`)
}

const setClock: Step = async simulation => {
  const { random } = simulation
  const date = new Date(
    Date.UTC(random.whole(1971, 2099), random.whole(0, 11), random.whole(1, 28), random.whole(0, 23), random.whole(0, 59)),
  )
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
  const body = `<tds:SetSystemDateAndTime><tds:DateTimeType>Manual</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings><tds:UTCDateTime><tt:Time><tt:Hour>${date.getUTCHours()}</tt:Hour><tt:Minute>${date.getUTCMinutes()}</tt:Minute><tt:Second>0</tt:Second></tt:Time><tt:Date><tt:Year>${year}</tt:Year><tt:Month>${month}</tt:Month><tt:Day>${day}</tt:Day></tt:Date></tds:UTCDateTime></tds:SetSystemDateAndTime>`
  const answer = await simulation.ask(body)
  simulation.note(`  SetSystemDateAndTime ${date.toISOString()}: ${statusOf(answer)}`)
  if (answer && answer.status !== 200 && !simulation.machine.nemesis.hasStruck)
    throw new Violation(`the clock cannot be set: ${answer.text}`)
}

const wait: Step = async simulation => {
  const ms = simulation.random.pick([1_000, 60_000, 301_000, 700_000])
  await simulation.machine.time.pass(ms)
  simulation.note(`  ${ms / 1000} s pass`)
}

const die: Step = async simulation => {
  const kind = simulation.random.pick(['power cut', 'kill'] as const)
  const outcome = kind === 'kill' ? 'kept' : simulation.random.pick(outcomes)
  simulation.note(`  ${kind}, ${outcome}`)
  simulation.die(outcome, kind)
}

type Weights = readonly (readonly [step: Step, weight: number])[]

/** By how often they come. */
const ordinary: Weights = [
  [change, 6],
  [pair, 2],
  [backUp, 1],
  [restore, 2],
  [reboot, 1],
  [factoryDefault, 1],
  [jump, 1],
  [setClock, 1],
  [wait, 1],
  [die, 2],
]
/** An image is dear: it takes as long as five other steps. */
const upgrading: Weights = [...ordinary, [upgrade, 9]]

function pick(random: Random, weights: Weights): Step {
  const all = weights.flatMap(([step, weight]) => Array.from({ length: weight }, () => step))
  return all[random.whole(0, all.length - 1)] ?? change
}

/** One to five steps, most of them in the shadow of a fault. */
export async function schedule(simulation: Simulation): Promise<void> {
  const { random, machine } = simulation
  await simulation.begin()
  await backUp(simulation)
  const weights = random.fraction() < 0.15 ? upgrading : ordinary
  for (let left = random.whole(1, 5); left > 0; left -= 1) {
    machine.tokensLost = random.whole(0, 120)
    if (random.fraction() < 0.5) simulation.arm(drawFault(random))
    await pick(random, weights)(simulation)
    await simulation.settle()
  }
  await simulation.end()
}
