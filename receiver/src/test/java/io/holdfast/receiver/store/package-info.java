/** Tests of the package. */
@org.jspecify.annotations.NullUnmarked
package io.holdfast.receiver.store;
