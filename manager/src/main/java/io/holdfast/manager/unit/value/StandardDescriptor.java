package io.holdfast.manager.unit.value;

/** The standard descriptors of a process, by their numbers. */
public enum StandardDescriptor {
    INPUT,
    OUTPUT,
    ERROR
}
