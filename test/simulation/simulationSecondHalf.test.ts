import { testSchedules } from './schedules.ts'

testSchedules(5_001, 10_000)
