package io.holdfast.manager.process;

import io.holdfast.core.process.ProcessId;

/**
 * One process of a unit, for people.
 *
 * @param cgroup the path of its cgroup
 * @param commandLine its words, joined; the process name in brackets if there are none
 */
public record UnitProcess(ProcessId id, String cgroup, String commandLine) {}
