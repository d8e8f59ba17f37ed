package io.holdfast.bus;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.testkit.TypedOnBus;
import java.nio.file.Path;

/** Typed interfaces between two connections of an application and its own bus. */
class TypedTest extends TypedOnBus {
    @Override
    protected TestBus start(Path folder) {
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        Bus bus = Bus.open(address, BusConfig.permissive());
        return new TestBus() {
            @Override
            public String address() {
                return address.toString();
            }

            @Override
            public Kind kind() {
                return Kind.HOLDFAST;
            }

            @Override
            public void close() {
                bus.close();
            }
        };
    }
}
