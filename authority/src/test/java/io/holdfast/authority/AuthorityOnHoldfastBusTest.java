package io.holdfast.authority;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.dbus.BusAddress;
import io.holdfast.dbus.testkit.TestBus;
import java.nio.file.Path;

class AuthorityOnHoldfastBusTest extends AuthorityOnBus {
    @Override
    TestBus start(Path where) {
        return new Embedded(
                Bus.open(
                        BusAddress.parse("unix:path=" + where.resolve("bus")),
                        BusConfig.permissive()));
    }

    /** Our bus, in this JVM. */
    record Embedded(Bus bus) implements TestBus {
        @Override
        public String address() {
            return bus.addresses().getFirst().toString();
        }

        @Override
        public Kind kind() {
            return Kind.HOLDFAST;
        }

        @Override
        public void close() {
            bus.close();
        }
    }
}
