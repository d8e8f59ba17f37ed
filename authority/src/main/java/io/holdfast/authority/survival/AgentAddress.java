package io.holdfast.authority.survival;

/**
 * Where an authentication agent is found again after the authority that it registered with has
 * died.
 *
 * @param bus the id of the bus, which another instance of it does not have
 * @param uniqueName of the agent's connection
 */
public record AgentAddress(String bus, String uniqueName) {}
