import type { ElementParticle, Particle } from '../onvif/schema.ts'

/** The elements that a content model names, those of its choices included. */
export function elementsIn(particles: readonly Particle[]): readonly ElementParticle[] {
  return particles.flatMap(particle => {
    if (particle.kind === 'element') return [particle]
    return particle.kind === 'choice' ? particle.alternatives.flatMap(elementsIn) : []
  })
}

/** Whether a content model is satisfied with nothing for this particle. */
export function canBeAbsent(particle: Particle): boolean {
  return particle.min === 0 || (particle.kind === 'choice' && particle.alternatives.some(alternative => alternative.every(canBeAbsent)))
}
