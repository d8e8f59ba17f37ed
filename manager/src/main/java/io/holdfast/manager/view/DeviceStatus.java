package io.holdfast.manager.view;

/**
 * The state of a device beyond its {@link UnitStatus}.
 *
 * @param path its folder in sysfs; empty if it is not known
 */
public record DeviceStatus(String path) implements UnitDetails {}
