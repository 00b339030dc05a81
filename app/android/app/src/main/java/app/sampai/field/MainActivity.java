package app.sampai.field;

import com.getcapacitor.BridgeActivity;

public class MainActivity extends BridgeActivity {}
