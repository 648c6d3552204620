import pytest

from foodflow_desktop.hardware import config
from foodflow_desktop.hardware.drivers.mt_sics import MtSics
from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.hardware.readings import DeviceState
from foodflow_desktop.hardware.sim.scanner import ScannerSim
from foodflow_desktop.hardware.sim.wire import PtyWire
from foodflow_kernel.errors import Invalid, NotFound
from tests.hardware.rigs import fast_clock, until


def test_sections_become_devices_in_order(tmp_path):
    path = tmp_path / "hardware.toml"
    path.write_text(
        '[scale]\ndriver = "mt_sics"\nport = "/dev/ttyS9"\ntag = "SC-02"\n'
        '[scanner]\ndriver = "scanner_serial"\ntcp = "127.0.0.1:5000"\n',
        encoding="utf-8",
    )
    sections = config.load(path).sections
    assert [section.device for section in sections] == ["scale", "scanner"]
    assert sections[0].driver is MtSics
    assert (sections[0].options.tag, sections[0].options.baudrate) == ("SC-02", 9600)
    assert sections[1].options.silent_after_s is None


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("x = ", "hardware.toml"),
        ("scale = 1", "scale"),
        ('[scale]\nport = "x"', "scale"),
        ('[scale]\ndriver = "abacus"\nport = "x"', "scale"),
        ('[scale]\ndriver = "mt_sics"', "scale"),
        ('[scale]\ndriver = "mt_sics"\nport = "x"\ntcp = "y:1"', "scale"),
        ('[scale]\ndriver = "mt_sics"\nport = "x"\nbaudrat = 9600', "scale"),
        ('[probe]\ndriver = "modbus_probe"\ntcp = "x:502"', "probe"),
        ('[probe]\ndriver = "modbus_probe"\ntcp = "x:502"\npoints = [{ tag = "P" }]', "probe"),
        ('[line]\ndriver = "line_signal"\ntcp = "x:502"\ncount_bits = 24', "line"),
    ],
)
def test_wrong_file_is_refused_and_names_the_section(tmp_path, text, section):
    path = tmp_path / "hardware.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        config.load(path)
    assert refused.value.code == "hardware_file_wrong"
    assert section in str(refused.value.data["section"])
    assert refused.value.data["why"]


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(Invalid, match="hardware_file_wrong"):
        config.load(tmp_path / "none.toml")


def test_no_devices_is_a_terminal_too():
    hub = Hardware(config.HardwareConfig(), fast_clock())
    hub.start()
    assert hub.devices() == ()
    with pytest.raises(NotFound) as refused:
        hub.latest("scale")
    assert refused.value.code == "device_unknown"
    hub.stop()


@pytest.mark.parametrize("address", [{"port": "/dev/does-not-exist"}, {"tcp": "127.0.0.1:1"}, {"tcp": "nonsense"}])
def test_device_that_was_never_there_is_unplugged(address):
    hub = Hardware(config.parse({"scale": {"driver": "mt_sics", **address}}), fast_clock())
    assert hub.status("scale").state is DeviceState.connecting
    hub.start()
    until(lambda: hub.status("scale").state is DeviceState.unplugged)
    assert hub.latest("scale") is None
    assert hub.age_s("scale") is None
    hub.stop()


def test_port_is_never_shared(tmp_path):
    clock = fast_clock()
    sim = ScannerSim(PtyWire(tmp_path / "scanner", clock), clock)
    sim.start()
    section = {"driver": "scanner_serial", "port": sim.wire.address}
    first = Hardware(config.parse({"scanner": section}), clock)
    second = Hardware(config.parse({"scanner": section}), clock)
    first.start()
    until(lambda: first.status("scanner").state is DeviceState.connected)
    second.start()
    until(lambda: second.status("scanner").state is DeviceState.unplugged)
    assert first.status("scanner").state is DeviceState.connected
    second.stop()
    first.stop()
    sim.stop()
