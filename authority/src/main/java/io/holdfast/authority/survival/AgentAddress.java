package io.holdfast.authority.survival;

/**
 * The address at which a restarted authority finds an authentication agent of the previous one.
 *
 * @param bus the id of the bus; a restarted bus has another id
 * @param uniqueName the unique name of the agent's connection
 */
public record AgentAddress(String bus, String uniqueName) {}
