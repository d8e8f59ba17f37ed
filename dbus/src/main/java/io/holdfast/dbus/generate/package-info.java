/**
 * Java source of typed interfaces from introspection XML: {@code IntrospectionReader} reads it,
 * {@code InterfaceGenerator} writes it. The only package that needs java.xml, which users of the
 * client do not have to have.
 */
@NullMarked
package io.holdfast.dbus.generate;

import org.jspecify.annotations.NullMarked;
