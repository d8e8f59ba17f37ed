package io.holdfast.manager.unit.resource;

/**
 * A value for one device.
 *
 * @param path of the device node, or of a file on the file system that is on the device
 * @param value a weight, bytes or operations a second (-1: infinite), or microseconds
 */
public record DeviceValue(String path, long value) {}
