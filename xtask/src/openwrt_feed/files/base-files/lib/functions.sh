# Stand-in for OpenWrt's functions: packages' scripts source this file on a device. The guest runs none.
default_postinst() { :; }
default_prerm() { :; }
add_group_and_user() { :; }
