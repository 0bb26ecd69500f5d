import type { Events } from '../../device/events/events.ts'
import type { Subscriptions } from '../../device/events/subscriptions.ts'
import type { HandlersOf } from '../../onvif/handlers.ts'
import type { Clock } from '../../platform/platform.ts'
import { notImplemented } from '../notImplemented.ts'
import { eventProperties } from './eventProperties.ts'
import { type Consumers, notification } from './notification.ts'
import { pullPoints } from './pullPoints.ts'

export interface EventSubjects {
  readonly events: Events
  readonly subscriptions: Subscriptions
  readonly consumers: Consumers
  readonly clock: Pick<Clock, 'now'>
}

/** One handler for each operation of the Event service (Core 9) and of the parts of WS-BaseNotification that it takes in. */
export function eventHandlers(subjects: EventSubjects): HandlersOf<'tev'> {
  return {
    ...eventProperties(subjects),
    ...pullPoints(subjects),
    ...notification(subjects),
    // Messages are not stored for those who were not there (Core 9.4.4), …
    'tev:Seek': notImplemented('tev:Seek'),
    // … and go to no broker (Core 9.11).
    'tev:AddEventBroker': notImplemented('tev:AddEventBroker'),
    'tev:DeleteEventBroker': notImplemented('tev:DeleteEventBroker'),
    'tev:GetEventBrokers': notImplemented('tev:GetEventBrokers'),
  }
}
