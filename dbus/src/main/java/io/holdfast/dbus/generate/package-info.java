/**
 * Generates Java source of typed interfaces from introspection XML: {@code IntrospectionReader}
 * reads it, {@code InterfaceGenerator} writes it. The only package that needs java.xml, so that
 * users of the client need not have it.
 */
@NullMarked
package io.holdfast.dbus.generate;

import org.jspecify.annotations.NullMarked;
