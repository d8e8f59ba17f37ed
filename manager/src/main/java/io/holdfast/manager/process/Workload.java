package io.holdfast.manager.process;

import io.holdfast.core.process.CgroupPath;
import io.holdfast.manager.unit.UnitName;

/**
 * One run of a unit.
 *
 * @param invocationId 32 hexadecimal digits
 * @param cgroup the path of its own cgroup, as the manager sees it; the root if it has none
 */
public record Workload(UnitName unit, String invocationId, UnitName slice, CgroupPath cgroup) {}
